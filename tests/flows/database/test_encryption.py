"""Encrypted columns on real rows: the database never holds the words; bytes do not move; keys are rotated while all goes on."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

import engage.alerts.model
import engage.console.model
import engage.db.model
import engage.replies.model  # noqa: F401 - every table must be known
from engage.db import Base, Database, encryption, migrate
from engage.db.encryption import Encrypted, KeyRing
from engage.db.rotation import rotate
from engage.errors import ConfigurationError
from engage.patients.model import ConsentEvent, Contact
from engage.replies.inbox import InboundText, store
from tests.cast import NOON, ROSE_PHONE, SUNRISE_NUMBER, Cast
from tests.conftest import RING

SECRET = "a secret that only tests use, and long enough"
OLD, NEW = b"\x07" * 32, b"\x09" * 32
BOTH = KeyRing({"new": NEW, "test": OLD}, SECRET)
LONG_NAME = KeyRing({"n" * 32: NEW}, SECRET)
ONLY_NEW = KeyRing({"new": NEW}, SECRET)
COLUMNS = [
    (table.name, column.name)
    for table in Base.metadata.sorted_tables
    for column in table.c
    if isinstance(column.type, Encrypted)
]


FILLINGS = {
    "clinicians.email": "UPDATE clinicians SET email = :value",
    "visits.wanted": "UPDATE visits SET wanted = :value WHERE id = {visit}",
    "readings.evidence": """
        INSERT INTO readings (agency_id, reply_id, rule_version, intents, confidence, needs_person, evidence, outcome, read_at)
        SELECT agency_id, id, '1', '{{}}', 1, false, :value, '{{}}', received_at FROM replies""",
    "messages.body": """
        INSERT INTO messages (agency_id, kind, priority, contact_id, template, planned_at, send_at, due_at, expires_at, body)
        SELECT agency_id, 'answer', 1, id, 'x', now(), now(), now(), now() + interval '1 hour', :value FROM contacts""",
    "alerts.note": """
        INSERT INTO alerts (agency_id, kind, severity, code, ladder_id, next_due_at, opened_at, note)
        SELECT agency_id, 'urgent', 3, '4821', min(id), now(), now(), :value FROM ladders GROUP BY agency_id""",
    "accounts.totp_secret": """
        INSERT INTO accounts (agency_id, email, name, role, created_at, totp_secret)
        SELECT id, 'rosa@example.org', 'Rosa', 'nurse', now(), :value FROM agencies""",
    "sign_ons.client_secret": """
        INSERT INTO sign_ons (agency_id, issuer, client_id, client_secret, set_by, set_at)
        SELECT id, 'https://login.example.org', 'engage', :value, 'x', now() FROM agencies""",
    "patient_openings.reason": """
        INSERT INTO patient_openings (agency_id, account_id, patient_id, reason, opened_at, ends_at)
        SELECT a.agency_id, a.id, p.id, :value, now(), now() FROM accounts a JOIN patients p ON p.agency_id = a.agency_id""",
}


@pytest.fixture(autouse=True)
def _ring_of_the_tests() -> Iterator[None]:
    encryption.use(RING)
    yield
    encryption.use(RING)


def stored(cast: Cast, table: str, column: str) -> list[bytes]:
    with cast.db.system_session("test") as session:
        return [
            bytes(value)
            for (value,) in session.execute(text(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"))
        ]


def fill(cast: Cast) -> None:
    """Something in every encrypted column."""
    store(cast.db, InboundText("SM1", ROSE_PHONE, SUNRISE_NUMBER, None, "my leg is swollen"), NOON)
    store(cast.db, InboundText("SM2", ROSE_PHONE, "+12025550198", None, "nobody's number"), NOON)
    visit = cast.visit(cast.rose)
    seal = encryption.ring().seal
    with cast.db.system_session("test") as session:
        for column, statement in FILLINGS.items():
            session.execute(text(statement.format(visit=visit)), {"value": seal("words of a patient", column)})


def test_no_encrypted_column_holds_words(cast: Cast) -> None:
    fill(cast)
    for table, column in COLUMNS:
        values = stored(cast, table, column)
        assert values, f"{table}.{column} was not tried"
        for value in values:
            assert value.startswith(b"\x01\x04test")
            assert not any(word in value for word in (b"leg", b"555", b"patient", b"signed"))


def test_the_same_words_are_never_the_same_bytes(cast: Cast) -> None:
    proofs = stored(cast, "consent_events", "proof")
    assert len(set(proofs)) == len(proofs) > 1


def test_bytes_moved_to_another_column_do_not_open(cast: Cast) -> None:
    fill(cast)
    with cast.db.system_session("test") as session:
        session.execute(text("UPDATE replies SET phone = body"))
    with (
        pytest.raises(ConfigurationError, match=r"replies\.phone does not open"),
        cast.db.system_session("test") as session,
    ):
        session.scalars(select(engage.replies.model.Reply)).all()


def test_a_ring_without_the_key_says_which_one_is_missing(cast: Cast) -> None:
    encryption.use(ONLY_NEW)
    with pytest.raises(ConfigurationError, match="'test'.*it holds: new"), cast.db.system_session("test") as session:
        session.scalars(select(Contact)).all()


def test_a_key_that_was_replaced_under_its_name_is_told(cast: Cast) -> None:
    encryption.use(KeyRing({"test": NEW}, SECRET))
    with (
        pytest.raises(ConfigurationError, match="a key of that name was replaced"),
        cast.db.system_session("test") as session,
    ):
        session.scalars(select(Contact)).all()


@given(words=st.text(max_size=50), place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_altered_bytes_never_open(words: str, place: int, flip: int) -> None:
    sealed = bytearray(RING.seal(words.encode("utf-8", "replace").decode(), "a.b"))
    sealed[place % len(sealed)] ^= flip
    with pytest.raises(ConfigurationError):
        RING.open(bytes(sealed), "a.b")


@given(
    junk=st.binary(max_size=60)
    | st.binary(max_size=40).map(lambda tail: b"\x01\x04test" + tail)
    | st.just(b"\x01\x20" + b"n" * 32)
)
def test_bytes_that_engage_did_not_write_never_open(junk: bytes) -> None:
    for ring in (RING, LONG_NAME):
        with pytest.raises(ConfigurationError):
            ring.open(junk, "a.b")


def test_rotation_leaves_nothing_under_the_old_key(cast: Cast) -> None:
    fill(cast)
    many = sum(len(stored(cast, table, column)) for table, column in COLUMNS)
    encryption.use(BOTH)
    assert rotate(cast.db) == many
    for table, column in COLUMNS:
        assert {value[:5] for value in stored(cast, table, column)} == {b"\x01\x03new"}
    encryption.use(ONLY_NEW)
    with cast.db.system_session("test") as session:
        phones = {contact.phone for contact in session.scalars(select(Contact))}
        proofs = {event.proof for event in session.scalars(select(ConsentEvent))}
    assert ROSE_PHONE in phones
    assert proofs == {"signed at admission"}
    assert rotate(cast.db) == 0


def test_while_it_is_rotated_both_keys_open(cast: Cast) -> None:
    encryption.use(BOTH)
    store(cast.db, InboundText("SM1", ROSE_PHONE, SUNRISE_NUMBER, None, "hello"), NOON)
    assert stored(cast, "replies", "body")[0].startswith(b"\x01\x03new")
    assert stored(cast, "contacts", "phone")[0].startswith(b"\x01\x04test")
    with cast.db.system_session("test") as session:
        assert session.scalars(select(Contact).where(Contact.id == cast.rose_contact)).one().phone == ROSE_PHONE


def test_rotation_waits_for_a_row_that_is_held(cast: Cast) -> None:
    """A dispatcher holds a contact for a moment: it must not stay behind under a key that is then thrown away."""
    encryption.use(BOTH)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with cast.db.system_session("test") as session:
            session.execute(text("SELECT id FROM contacts WHERE id = :id FOR UPDATE"), {"id": cast.rose_contact})
            held.set()
            wait_for_rotation(cast.db, done)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    try:
        rotate(cast.db)
    finally:
        done.set()
        holder.join()
    assert {value[:5] for value in stored(cast, "contacts", "phone")} == {b"\x01\x03new"}


def wait_for_rotation(db: Database, done: threading.Event) -> None:
    """Until somebody waits for our lock (or has gone past it)."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(400):
        with db.engine.connect() as connection:
            if connection.execute(waiting).scalar_one() or done.wait(0.01):
                return


def test_a_ledger_still_cannot_be_rewritten(cast: Cast) -> None:
    """Rotation may write a proof anew; nobody may change what was said."""
    for change in ("kind = 'opted_in'", "said_at = now()", "contact_id = NULL"):
        with pytest.raises(SQLAlchemyError, match="permission denied"), cast.db.system_session("test") as session:
            session.execute(text(f"UPDATE consent_events SET {change}"))
    with pytest.raises(SQLAlchemyError, match="permission denied"), cast.db.agency_session(cast.id) as session:
        session.execute(text("UPDATE consent_events SET proof = NULL"))


def test_another_secret_is_refused_before_anything_runs(db: Database) -> None:
    migrate.check(db, RING)
    migrate.check(db, KeyRing({"other": NEW}, SECRET))  # keys may change, the secret may not
    with pytest.raises(ConfigurationError, match="ENGAGE_SECRET_KEY is not the one"):
        migrate.check(db, KeyRing({"test": OLD}, "another secret that is long enough, but not the same"))
