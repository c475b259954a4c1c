"""Two patients on one phone get one text an occasion; when the one who gets it may not any more, the other does."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from engage.outreach.plan import Planned, plan
from tests.cast import NOON, Cast

TUESDAY = date(2026, 11, 24)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def couple(cast: Cast) -> Cast:
    """Rose and Marta live together and have one phone; both have a visit on Monday. Rose's contact has the lower id."""
    with cast.db.agency_session(cast.id) as session:
        session.execute(
            text(
                "UPDATE contacts SET phone_hash = (SELECT phone_hash FROM contacts WHERE id = :rose) WHERE id = :marta"
            ),
            {"rose": cast.rose_contact, "marta": cast.marta_contact},
        )
    cast.visit(cast.rose)
    cast.visit(cast.marta)
    return cast


def readers(cast: Cast, key: str) -> list[str]:
    """Whose row each occasion's text is."""
    names = {cast.rose_contact: "rose", cast.marta_contact: "marta"}
    with cast.db.agency_session(cast.id) as session:
        found = session.execute(
            text(
                "SELECT m.contact_id FROM messages m JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id"
                " WHERE t.key = :key AND m.state <> 'cancelled' ORDER BY m.occasion, m.id"
            ),
            {"key": key},
        ).scalars()
    return [names[contact] for contact in found]


def run(cast: Cast, statement: str) -> None:
    values = {
        "rose": cast.rose,
        "rose_contact": cast.rose_contact,
        "marta": cast.marta,
        "marta_contact": cast.marta_contact,
    }
    with cast.db.agency_session(cast.id) as session:
        session.execute(text(statement), {name: value for name, value in values.items() if f":{name}" in statement})


def test_one_text_an_occasion(couple: Cast) -> None:
    plan(couple.db, NOON)
    for key in ("day-before", "day-of", "morning-checkin", "evening-checkin"):
        assert readers(couple, key) == ["rose"]
    assert plan(couple.db, NOON, whole=True) == Planned()


def test_whoever_has_something_to_say_is_told(couple: Cast) -> None:
    run(couple, "UPDATE visits SET status = 'cancelled' WHERE patient_id = :rose")
    plan(couple.db, NOON)
    assert readers(couple, "day-before") == ["marta"]
    assert readers(couple, "morning-checkin") == ["rose"]


REVOKED = (
    "INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)"
    " SELECT agency_id, id, phone_hash, category, '{}', 'staff', now(), now()"
    " FROM contacts, unnest(ARRAY['visits', 'checkins']) AS category WHERE id = :rose_contact"
)


@pytest.mark.parametrize(
    "how",
    [
        REVOKED.format("revoked"),
        "UPDATE patients SET status = 'deceased', died_on = '2026-11-22' WHERE id = :rose",
        "UPDATE patients SET status = 'hospitalized' WHERE id = :rose",
        "UPDATE contacts SET ended_at = now() WHERE id = :rose_contact",
    ],
)
def test_the_other_is_not_silenced_with_the_first(couple: Cast, how: str) -> None:
    plan(couple.db, NOON)
    run(couple, how)
    plan(couple.db, NOON + MINUTE)
    # Rose's rows stay, for the dispatcher to suppress with their reason; Marta's are planned beside them.
    for key in ("day-before", "day-of", "morning-checkin"):
        assert readers(couple, key) == ["rose", "marta"]
    assert plan(couple.db, NOON + 2 * MINUTE, whole=True) == Planned()


def test_the_first_one_s_visit_moves_away(couple: Cast) -> None:
    plan(couple.db, NOON)
    run(couple, "UPDATE visits SET starts_on = '2026-12-20' WHERE patient_id = :rose")
    plan(couple.db, NOON + MINUTE)
    assert readers(couple, "day-before") == ["marta"]
    # And back: Marta's text stands for both.
    run(couple, "UPDATE visits SET starts_on = '2026-11-23' WHERE patient_id = :rose")
    plan(couple.db, NOON + 2 * MINUTE)
    assert readers(couple, "day-before") == ["marta"]
    assert plan(couple.db, NOON + 3 * MINUTE, whole=True) == Planned()


def test_a_new_number_parts_them(couple: Cast) -> None:
    plan(couple.db, NOON)
    run(couple, "UPDATE contacts SET phone_hash = sha256('other') WHERE id = :rose_contact")
    plan(couple.db, NOON + MINUTE)
    assert readers(couple, "morning-checkin") == ["rose", "marta"]


def test_stop_from_the_phone_is_a_change_of_both(couple: Cast) -> None:
    plan(couple.db, NOON)
    run(couple, "INSERT INTO consent_events (agency_id, phone_hash, kind, source, said_at, recorded_at)"
                " SELECT agency_id, phone_hash, 'opted_out', 'text', now(), now() FROM contacts WHERE id = :marta_contact")  # fmt: skip
    with couple.db.agency_session(couple.id) as session:
        assert set(session.execute(text("SELECT patient_id FROM changes")).scalars()) == {couple.rose, couple.marta}


def test_a_survey_follows_each_visit(couple: Cast) -> None:
    run(couple, "UPDATE visits SET status = 'completed', completed_at = '2026-11-22 16:30:00+00'")
    plan(couple.db, NOON)
    assert readers(couple, "survey") == ["rose", "marta"]
