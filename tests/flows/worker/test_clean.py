"""What is too old of signing in leaves, in every agency; what is young stays, and so does the record."""

from datetime import datetime, timedelta

from sqlalchemy import text

from engage.console import devices
from engage.console.rules.delays import FORGOTTEN
from engage.worker.clean import DELAYS, DEVICES, LINKS, SESSIONS, Cleaned, clean
from tests.cast import NOON, Cast

_DAY = timedelta(days=1)


def test_what_is_too_old_leaves_and_what_is_young_stays(cast: Cast) -> None:
    with cast.db.system_session("test") as session:
        session.execute(
            text(
                "INSERT INTO accounts (agency_id, email, name, role, created_at) SELECT id, 'rosa@example.org', 'Rosa', 'nurse',"
                " created_at FROM agencies"
            )
        )
        session.execute(
            text("INSERT INTO sign_in_delays (key, failures, last_at) VALUES ('a', 9, :old), ('b', 9, :young)"),
            {"old": NOON - DELAYS - timedelta(seconds=1), "young": NOON - DELAYS + timedelta(seconds=1)},
        )
    # ended or last used, in days before now; one that is still open was used last at that time
    for number, (ended, used) in enumerate([(89, 200), (91, 91), (None, 89), (None, 91)]):
        _put(
            cast,
            "console_sessions",
            number,
            {"begun_at": 200, "seen_at": used, "ended_at": ended},
            {"address": "x", "agent": "x"},
        )
    for number, made in enumerate([179, 181]):
        _put(cast, "known_devices", 10 + number, {"made_at": made}, {})
    # used, runs out; -1: it holds until tomorrow
    for number, (used, ends) in enumerate([(29, 90), (31, -1), (None, 29), (None, 31), (None, -1)]):
        _put(cast, "account_links", 20 + number, {"made_at": 40, "used_at": used, "ends_at": ends}, {"made_by": "x"})
    record = "SELECT count(*) FROM audit_events"
    before = _count(cast, record)
    assert clean(cast.db, NOON) == Cleaned(sessions=4, devices=2, links=4, delays=1)  # two agencies each
    assert clean(cast.db, NOON) == Cleaned()
    assert _count(cast, "SELECT count(*) FROM console_sessions") == 4
    assert _count(cast, "SELECT count(*) FROM account_links WHERE used_at IS NULL AND ends_at > :now", now=NOON) == 2
    assert _count(cast, record) == before


def test_the_times_are_those_of_the_console() -> None:
    """Worker and console import nothing from each other; what one believes, the other must not remove."""
    assert DEVICES == devices.KEPT
    assert DELAYS == FORGOTTEN
    assert timedelta(0) < LINKS < SESSIONS


def _put(cast: Cast, table: str, number: int, days: dict[str, int | None], more: dict[str, str]) -> None:
    """A row for the account of each agency; `days` before now by column."""
    values: dict[str, datetime | str | None] = {
        name: None if ago is None else NOON - ago * _DAY for name, ago in days.items()
    } | more
    columns = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    with cast.db.system_session("test") as session:
        session.execute(
            text(
                f"INSERT INTO {table} (agency_id, account_id, token_hash, {columns})"
                f" SELECT agency_id, id, convert_to(agency_id || ' {number}', 'UTF8'), {marks} FROM accounts"
            ),
            values,
        )


def _count(cast: Cast, query: str, **values: object) -> int:
    with cast.db.system_session("test") as session:
        return int(session.scalar(text(query), values) or 0)
