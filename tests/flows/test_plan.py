"""The planner on real rows: what is planned, when, for whom; what moves and what is cancelled."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select, text, update

from engage.outreach.model import Message, Touchpoint
from engage.outreach.plan import Planned, plan
from engage.patients.model import ConsentEvent, Contact, Patient
from engage.visits.model import Visit
from tests.cast import MONDAY, NOON, Cast

NEW_YORK_15 = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def planned(cast: Cast, key: str, state: str = "planned") -> list[Message]:
    with cast.db.agency_session(cast.id) as session:
        rows = session.scalars(
            select(Message)
            .join(Touchpoint, (Touchpoint.agency_id == Message.agency_id) & (Touchpoint.id == Message.touchpoint_id))
            .where(Touchpoint.key == key, Message.state == state)
            .order_by(Message.patient_id, Message.send_at)
        )
        return list(rows)


def test_a_visit_gets_a_reminder_the_day_before_and_on_the_day(cast: Cast) -> None:
    cast.visit(cast.rose)
    plan(cast.db, NOON)
    (before,), (day_of,) = planned(cast, "day-before"), planned(cast, "day-of")
    assert (before.send_at, before.expires_at) == (NEW_YORK_15, NEW_YORK_15 + timedelta(hours=6))
    assert day_of.send_at == datetime(2026, 11, 23, 13, 0, tzinfo=UTC)  # 08:00 in New York
    assert day_of.expires_at == datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # the visit begins at 10:00


def test_checkins_are_planned_morning_and_evening_for_every_monitored_patient(cast: Cast) -> None:
    plan(cast.db, NOON)
    assert [m.send_at.hour for m in planned(cast, "morning-checkin")] == [14, 14]  # tomorrow's, for Rose and Marta
    assert [m.send_at.hour for m in planned(cast, "evening-checkin")] == [23, 23]


def test_planning_twice_changes_nothing(cast: Cast) -> None:
    cast.visit(cast.rose)
    assert plan(cast.db, NOON).planned == 8  # 2 reminders, 2 check-ins for each of three patients
    assert plan(cast.db, NOON) == Planned()
    assert plan(cast.db, NOON + timedelta(minutes=1)) == Planned()


def test_several_visits_of_a_day_share_one_reminder(cast: Cast) -> None:
    cast.visit(cast.rose, at=time(10))
    cast.visit(cast.rose, at=time(14))
    plan(cast.db, NOON)
    assert len(planned(cast, "day-before")) == 1


@pytest.mark.parametrize(
    ("at", "send_at", "expires_at"),
    [
        (time(10), "13:00", "15:00"),
        (time(8, 30), "13:00", "13:30"),  # an hour before would be 07:30: not before 08:00
        (time(18), "13:00", "17:00"),  # useful for four hours
        (None, "13:00", "17:00"),  # time not set yet
    ],
)
def test_the_day_of_reminder_leaves_room_before_the_visit(
    cast: Cast, at: time | None, send_at: str, expires_at: str
) -> None:
    cast.visit(cast.rose, at=at)
    plan(cast.db, NOON)
    (message,) = planned(cast, "day-of")
    assert (f"{message.send_at:%H:%M}", f"{message.expires_at:%H:%M}") == (send_at, expires_at)


def test_a_visit_before_anybody_may_be_texted_has_no_day_of_reminder(cast: Cast) -> None:
    cast.visit(cast.rose, at=time(7, 30))
    plan(cast.db, NOON)
    assert planned(cast, "day-of") == []
    assert len(planned(cast, "day-before")) == 1


def test_a_moved_visit_moves_its_reminders(cast: Cast) -> None:
    visit = cast.visit(cast.rose)
    plan(cast.db, NOON)
    with cast.db.agency_session(cast.id) as session:
        session.execute(update(Visit).where(Visit.id == visit).values(starts_on=date(2026, 11, 24)))
    result = plan(cast.db, NOON, timedelta(hours=50))
    assert result.cancelled == 2
    assert [m.occasion for m in planned(cast, "day-before")] == ["2026-11-24"]
    assert {m.reason for m in planned(cast, "day-before", "cancelled")} == {"visit_changed"}


def test_a_visit_moved_away_and_back_is_reminded_again(cast: Cast) -> None:
    visit = cast.visit(cast.rose)
    plan(cast.db, NOON)
    for day in (date(2026, 12, 20), MONDAY):
        with cast.db.agency_session(cast.id) as session:
            session.execute(update(Visit).where(Visit.id == visit).values(starts_on=day))
        plan(cast.db, NOON)
    assert [m.occasion for m in planned(cast, "day-before")] == ["2026-11-23"]


def test_an_earlier_time_on_the_same_day_moves_the_end_of_the_reminder(cast: Cast) -> None:
    visit = cast.visit(cast.rose, at=time(18))
    plan(cast.db, NOON)
    with cast.db.agency_session(cast.id) as session:
        session.execute(update(Visit).where(Visit.id == visit).values(starts_local=time(9, 30)))
    assert plan(cast.db, NOON).moved == 1
    assert f"{planned(cast, 'day-of')[0].expires_at:%H:%M}" == "14:30"


@pytest.mark.parametrize("status", ["cancelled", "missed"])
def test_a_visit_that_will_not_be_is_not_reminded(cast: Cast, status: str) -> None:
    visit = cast.visit(cast.rose)
    plan(cast.db, NOON)
    with cast.db.agency_session(cast.id) as session:
        session.execute(update(Visit).where(Visit.id == visit).values(status=status))
    plan(cast.db, NOON)
    assert planned(cast, "day-before") == planned(cast, "day-of") == []


def test_a_completed_visit_is_followed_by_a_survey_two_hours_later(cast: Cast) -> None:
    visit = cast.visit(cast.rose)
    done_at = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    with cast.db.agency_session(cast.id) as session:
        session.execute(update(Visit).where(Visit.id == visit).values(status="completed", completed_at=done_at))
    plan(cast.db, done_at)
    (survey,) = planned(cast, "survey")
    assert (survey.send_at, survey.visit_id) == (done_at + timedelta(hours=2), visit)


def test_a_survey_that_would_come_at_night_waits_for_the_morning(cast: Cast) -> None:
    visit = cast.visit(cast.rose)
    done_at = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 20:00 in New York
    with cast.db.agency_session(cast.id) as session:
        session.execute(update(Visit).where(Visit.id == visit).values(status="completed", completed_at=done_at))
    plan(cast.db, done_at)
    assert planned(cast, "survey")[0].send_at == datetime(2026, 11, 24, 13, 0, tzinfo=UTC)  # 08:00


def silence(cast: Cast, how: str) -> None:
    with cast.db.agency_session(cast.id) as session:
        contact = session.scalars(select(Contact).where(Contact.id == cast.rose_contact)).one()
        event = {
            "agency_id": cast.id,
            "phone_hash": contact.phone_hash,
            "source": "text",
            "said_at": NOON,
            "recorded_at": NOON,
        }
        match how:
            case "opted_out":
                session.add(ConsentEvent(kind="opted_out", **event))
            case "revoked":
                session.add_all(
                    ConsentEvent(kind="revoked", contact_id=contact.id, category=category, **event)
                    for category in ("visits", "checkins")
                )
            case "landline":
                contact.phone_kind = "landline"
            case "ended":
                contact.ended_at = NOON
            case "deceased":
                session.execute(
                    update(Patient).where(Patient.id == cast.rose).values(status="deceased", died_on=MONDAY)
                )
            case _:
                session.execute(update(Patient).where(Patient.id == cast.rose).values(status=how))


@pytest.mark.parametrize(
    "how", ["opted_out", "revoked", "landline", "ended", "deceased", "discharged", "hospitalized", "on_hold"]
)
def test_nothing_is_planned_for_somebody_who_may_not_be_texted(cast: Cast, how: str) -> None:
    cast.visit(cast.rose)
    silence(cast, how)
    plan(cast.db, NOON)
    with cast.db.agency_session(cast.id) as session:
        assert (
            session.execute(
                text("SELECT count(*) FROM messages WHERE patient_id = :id"), {"id": cast.rose}
            ).scalar_one()
            == 0
        )


def test_start_after_stop_brings_the_texts_back(cast: Cast) -> None:
    silence(cast, "opted_out")
    with cast.db.agency_session(cast.id) as session:
        contact = session.scalars(select(Contact).where(Contact.id == cast.rose_contact)).one()
        later = NOON + timedelta(minutes=1)
        session.add(
            ConsentEvent(
                agency_id=cast.id,
                phone_hash=contact.phone_hash,
                kind="opted_in",
                source="text",
                said_at=later,
                recorded_at=later,
            )
        )
    plan(cast.db, NOON)
    assert len(planned(cast, "morning-checkin")) == 2
