"""The minute tick: what is logged as changed, what a tick looks at, and what happens when two tick or one dies."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engage.outreach.plan import Planned, plan
from tests.cast import NOON, Cast

MINUTE = timedelta(minutes=1)


def run(cast: Cast, statement: str, **values: object) -> None:
    """A statement of Sunrise's, as the web or the importer would run it."""
    with cast.db.agency_session(cast.id) as session:
        session.execute(
            text(statement), {"rose": cast.rose, "marta": cast.marta, "contact": cast.rose_contact} | values
        )


def logged(cast: Cast) -> set[int | None]:
    """Whom the log names."""
    with cast.db.system_session("test") as session:
        return set(session.execute(text("SELECT patient_id FROM changes")).scalars())


@pytest.fixture
def planned(cast: Cast) -> Cast:
    """Rose has a visit on Monday, and everything is planned."""
    cast.visit(cast.rose)
    run(
        cast,
        "INSERT INTO episodes (agency_id, patient_id, emr_id, starts_on) VALUES (:agency, :rose, 'rose', '2026-11-01')",
        agency=cast.id,
    )
    plan(cast.db, NOON)
    assert logged(cast) == set()
    return cast


CONSENT = (
    "INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)"
    " SELECT agency_id, {}, phone_hash, {}, '{}', 'text', now(), now() FROM contacts WHERE id = :contact"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE patients SET status = 'discharged' WHERE id = :rose",
        "UPDATE patients SET time_zone = 'America/Denver' WHERE id = :rose",
        "UPDATE patients SET is_monitored = false WHERE id = :rose",
        "UPDATE contacts SET phone_kind = 'landline' WHERE id = :contact",
        "UPDATE contacts SET ended_at = now() WHERE id = :contact",
        "UPDATE contacts SET relationship = 'family' WHERE id = :contact",
        CONSENT.format("id", "'visits'", "revoked"),
        CONSENT.format("NULL", "NULL", "opted_out"),  # the phone says it, not the contact
        "INSERT INTO episodes (agency_id, patient_id, emr_id, starts_on) SELECT agency_id, id, 'e', '2026-11-01' FROM patients WHERE id = :rose",
        "UPDATE episodes SET discharged_on = '2026-11-22'",
        "DELETE FROM episodes",
        "UPDATE visits SET starts_local = '11:00'",
        "UPDATE visits SET starts_on = starts_on + 1",
        "UPDATE visits SET status = 'completed', completed_at = now()",
        "UPDATE visits SET answer = 'does_not_want_it', answered_at = now()",
        "DELETE FROM visit_clinicians; DELETE FROM visits",
    ],
)
def test_what_matters_of_a_patient_is_logged(planned: Cast, statement: str) -> None:
    for part in statement.split("; "):
        run(planned, part)
    assert logged(planned) == {planned.rose}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE patients SET first_name = 'Rosa', language = 'es'",
        "UPDATE contacts SET name = 'Rose', language = 'es'",
        "UPDATE contacts SET ended_at = ended_at, phone_kind = phone_kind",  # an import that finds everything as it was
        "UPDATE visits SET task = 'Wound care', changed_at = now(), starts_local = starts_local",
        "UPDATE visits SET answer = 'confirmed', answered_at = now()",
        "UPDATE senders SET swept_until = now()",
        "UPDATE agencies SET daily_cap = 4, name = 'Sunrise II'",
        "UPDATE touchpoints SET is_active = is_active",
    ],
)
def test_what_cannot_matter_is_not_logged(planned: Cast, statement: str) -> None:
    run(planned, statement)
    assert logged(planned) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE touchpoints SET local_time = '10:00' WHERE key = 'morning-checkin'",
        "UPDATE agencies SET texts_until = '17:00'",
        "UPDATE agencies SET is_active = false",
    ],
)
def test_what_matters_of_an_agency_is_logged_once(planned: Cast, statement: str) -> None:
    run(planned, statement)
    assert logged(planned) == {None}


def test_a_tick_looks_only_at_those_who_changed(planned: Cast) -> None:
    run(planned, "UPDATE visits SET starts_local = '09:30'")
    with planned.db.system_session("forget Marta's change") as session:
        session.execute(text("UPDATE patients SET time_zone = 'America/Denver' WHERE id = :id"), {"id": planned.marta})
        session.execute(text("DELETE FROM changes WHERE patient_id = :id"), {"id": planned.marta})
    assert plan(planned.db, NOON + MINUTE) == Planned(moved=1)
    assert plan(planned.db, NOON + 2 * MINUTE) == Planned()
    # The net: an hour later everything is derived anew, also what no log named.
    assert plan(planned.db, NOON + 61 * MINUTE).moved >= 2


def test_whole_when_asked_for(planned: Cast) -> None:
    run(planned, "UPDATE patients SET time_zone = 'America/Denver' WHERE id = :marta")
    with planned.db.system_session("forget it") as session:
        session.execute(text("DELETE FROM changes"))
    assert plan(planned.db, NOON + MINUTE, whole=True).moved == 2


def test_what_comes_into_the_horizon_is_planned_for_everybody(planned: Cast) -> None:
    """26 hours ahead of Sunday 20:59:30 Z is Monday's evening check-in of 18:00 in New York."""
    at = NOON + timedelta(hours=4)
    assert plan(planned.db, at - MINUTE / 2) == Planned()  # an hour has passed: whole, and nothing is due
    assert plan(planned.db, at - MINUTE / 4) == Planned()
    assert plan(planned.db, at) == Planned(planned=3)
    assert plan(planned.db, at + MINUTE) == Planned()


def test_more_changes_than_fit_at_once(planned: Cast) -> None:
    with planned.db.system_session("an import") as session:
        session.execute(
            text("INSERT INTO changes (agency_id, patient_id) SELECT :id, n FROM generate_series(1, 25000) AS n"),
            {"id": planned.id},
        )
    run(planned, "UPDATE visits SET starts_local = '09:30'")
    assert plan(planned.db, NOON + MINUTE).moved == 1
    assert logged(planned) == set()


def test_while_one_plans_another_returns_at_once(planned: Cast) -> None:
    run(planned, "UPDATE visits SET starts_local = '09:30'")
    with planned.db.system_session("plan") as session:
        session.execute(text("SELECT FROM planning FOR UPDATE"))
        assert plan(planned.db, NOON + MINUTE) == Planned()
    assert plan(planned.db, NOON + MINUTE).moved == 1


@pytest.fixture
def broken(planned: Cast) -> Cast:
    """A database that refuses the last step of the planner."""
    with planned.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE planning ADD CONSTRAINT broken CHECK (false) NOT VALID"))
    return planned


def test_a_run_that_dies_loses_nothing(broken: Cast) -> None:
    run(broken, "UPDATE visits SET starts_local = '09:30'")
    with pytest.raises(DBAPIError, match="broken"):
        plan(broken.db, NOON + MINUTE)
    assert logged(broken) == {broken.rose}
    with broken.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE planning DROP CONSTRAINT broken"))
    assert plan(broken.db, NOON + MINUTE).moved == 1


def test_writers_never_wait_for_the_planner(planned: Cast) -> None:
    run(planned, "UPDATE visits SET starts_local = '09:30'")
    with planned.db.system_session("plan") as session:
        session.execute(text("DELETE FROM changes"))  # as the planner holds them
        run(planned, "SET LOCAL lock_timeout = '2s'")
        run(planned, "UPDATE visits SET starts_local = '09:40'")
    assert logged(planned) == {planned.rose}


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE touchpoints SET is_active = false WHERE key = 'morning-checkin'", "touchpoint_off"),
        ("UPDATE agencies SET is_active = false", "agency_off"),
        ("UPDATE patients SET is_monitored = false", "not_monitored"),
        ("UPDATE touchpoints SET local_time = '22:00' WHERE key = 'morning-checkin'", "no_time"),
        ("UPDATE agencies SET texts_after = '13:00', texts_until = '14:00'", "no_time"),
        ("UPDATE episodes SET discharged_on = '2026-11-22'", "out_of_care"),
    ],
)
def test_what_has_lost_its_reason_is_cancelled_with_it(planned: Cast, statement: str, reason: str) -> None:
    run(planned, statement)
    plan(planned.db, NOON + MINUTE)
    with planned.db.agency_session(planned.id) as session:
        found = session.execute(
            text(
                "SELECT m.state, m.reason FROM messages m JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id"
                " WHERE t.key = 'morning-checkin' AND m.patient_id = :rose"
            ),
            {"rose": planned.rose},
        ).all()
    assert {tuple(row) for row in found} == {("cancelled", reason)}
    assert plan(planned.db, NOON + 2 * MINUTE, whole=True) == Planned()


def test_a_planned_text_says_what_its_touchpoint_says_now(planned: Cast) -> None:
    run(planned, "UPDATE touchpoints SET priority = 7, template = 'evening-checkin' WHERE key = 'morning-checkin'")
    assert plan(planned.db, NOON + MINUTE) == Planned(moved=2)
