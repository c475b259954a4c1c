"""A reply that Engage itself fails on: tried three times, then it goes to a person, and nobody else's reply waits for it."""

from sqlalchemy import text

from engage import clock
from engage.replies.handle import handle
from engage.replies.inbox import InboundText, store
from engage.replies.lexicon import load_lexicon
from tests.cast import MARTA_PHONE, NOON, ROSE_PHONE, SUNRISE_NUMBER, Cast


def take(cast: Cast, number: int, phone: str, body: str) -> None:
    store(cast.db, InboundText(f"SM{number:032x}", phone, SUNRISE_NUMBER, None, body), NOON)


def rows(cast: Cast, sql: str) -> list[tuple[object, ...]]:
    with cast.db.system_session("test") as session:
        return [tuple(row) for row in session.execute(text(sql))]


def test_after_three_failures_a_person_is_called(cast: Cast) -> None:
    take(cast, 1, ROSE_PHONE, "my chest hurts")
    rows(cast, "UPDATE replies SET body = decode('010000', 'hex') RETURNING 1")  # no key opens it
    take(cast, 2, MARTA_PHONE, "gracias")
    done = handle(cast.db, load_lexicon(cast.config / "lexicon"), clock.now)
    assert (done.failed, done.replies) == (3, 1)
    assert rows(cast, "SELECT state, failures FROM replies ORDER BY id") == [("needs_person", 3), ("handled", 0)]
    alerts = rows(cast, "SELECT kind, state, patient_id, contact_id FROM alerts")
    assert alerts == [("unreadable", "open", cast.rose, cast.rose_contact)]
    assert rows(cast, "SELECT kind FROM alert_events") == [("opened",)]
    assert handle(cast.db, load_lexicon(cast.config / "lexicon"), clock.now).failed == 0


def test_a_nurses_text_that_fails_also_ends_with_a_person(cast: Cast) -> None:
    with cast.db.system_session("test") as session:
        session.execute(text("UPDATE clinicians SET phone = decode('010000', 'hex') WHERE id = :id"), {"id": cast.ana})
    take(cast, 1, "+12025550121", "4821")
    handle(cast.db, load_lexicon(cast.config / "lexicon"), clock.now)
    assert rows(cast, "SELECT state FROM replies") == [("needs_person",)]
    assert rows(cast, "SELECT kind, patient_id FROM alerts") == [("unreadable", None)]
