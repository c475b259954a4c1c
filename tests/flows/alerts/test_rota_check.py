"""The check of rotas on real rows: one alert a hole and branch, kept up to date, resolved by itself, never nagging."""

from datetime import UTC, datetime, timedelta
from typing import Any

from engage.agencies.rota import load_crew
from engage.alerts.ladders import NewStep
from engage.alerts.rota import check_rota, problems
from engage.alerts.rules.words import Who
from tests.cast import NOON
from tests.flows.alerts.ward import Ward

DAY = timedelta(days=1)


def change(ward: Ward, kind: str, who: int, starts: str, ends: str, instead: int | None = None) -> None:
    ward.sql(
        "INSERT INTO shift_changes (agency_id, kind, clinician_id, instead_id, starts_local, ends_local)"
        " VALUES (:agency, :kind, :who, :instead, CAST(:starts AS timestamp), CAST(:ends AS timestamp))",
        agency=ward.cast.id, kind=kind, who=who, instead=instead, starts=starts, ends=ends,
    )  # fmt: skip


def check(ward: Ward, now: datetime = NOON) -> tuple[int, int, int]:
    done = check_rota(ward.cast.db, now)
    return done.opened, done.updated, done.resolved


def alerts(ward: Ward) -> list[Any]:
    return ward.sql("SELECT kind, state FROM alerts ORDER BY id")


def test_a_hole_is_told_once_updated_and_resolved_when_it_is_filled(ward: Ward) -> None:
    ben, branch = ward.cast.ben, ward.cast.branch
    assert check(ward) == (0, 0, 0)  # whole; and the other agency keeps no rota: engage doctor says so
    change(ward, "remove", ben, "2026-12-03T08:00", "2026-12-03T12:00")
    assert check(ward) == (0, 0, 0)  # more than a week ahead: only a person who looks is told
    change(ward, "remove", ben, "2026-11-26T08:00", "2026-11-26T12:00")
    assert [check(ward), check(ward, NOON + timedelta(minutes=1))] == [(1, 0, 0), (0, 0, 0)]
    assert ward.sql("SELECT kind, patient_id, branch_id FROM alerts") == [("rota_gap", None, branch)]
    assert ward.climbs(NOON).paged == 1
    assert ward.pages() == [ward.cast.sue]
    change(ward, "remove", ben, "2026-11-25T08:00", "2026-11-25T12:00")
    assert check(ward, NOON + timedelta(minutes=2)) == (
        0,
        1,
        0,
    )  # another hole comes before it: evidence, no second alert
    assert check(ward, NOON + timedelta(minutes=3)) == (0, 0, 0)
    ward.sql("DELETE FROM shift_changes WHERE starts_local < '2026-12-01'")
    assert [check(ward, NOON + timedelta(minutes=4)), check(ward, NOON + timedelta(minutes=5))] == [
        (0, 0, 1),
        (0, 0, 0),
    ]
    assert alerts(ward) == [("rota_gap", "resolved")]
    change(ward, "remove", ben, "2026-11-26T08:00", "2026-11-26T12:00")
    assert check(ward, NOON + timedelta(minutes=6)) == (1, 0, 0)  # the same hole again, after it had been filled


def test_what_a_person_resolved_is_told_again_only_a_day_ahead(ward: Ward) -> None:
    change(ward, "remove", ward.cast.ben, "2026-11-26T08:00", "2026-11-26T12:00")
    assert check(ward) == (1, 0, 0)
    ((alert,),) = ward.sql("SELECT id FROM alerts")
    ward.resolved_by(ward.cast.sue, alert, NOON, "nothing_needed")
    assert [check(ward, NOON + hours * timedelta(hours=1)) for hours in (1, 24, 48)] == [(0, 0, 0)] * 3
    assert [check(ward, NOON + 3 * DAY), check(ward, NOON + 3 * DAY)] == [(1, 0, 0), (0, 0, 0)]


def test_somebody_on_the_rota_whom_nobody_can_page(ward: Ward) -> None:
    ward.shift(ward.cast.sue, "00:00", "00:00", "fallback")
    ward.sql("UPDATE clinicians SET texts_stopped_at = :now WHERE id = :ben", now=NOON, ben=ward.cast.ben)
    assert [check(ward), check(ward)] == [
        (1, 0, 0),
        (0, 0, 0),
    ]  # Sue stands in, so it is no hole; but Ben's phone is dead
    assert alerts(ward) == [("nurse_unreachable", "open")]
    ward.sql("UPDATE clinicians SET texts_stopped_at = NULL")
    assert check(ward) == (0, 0, 1)


def test_alerts_that_reached_nobody_are_one_alert_for_the_supervisors(ward: Ward) -> None:
    ward.ladder("nurse", NewStep(Who.NURSE, 5))
    ward.sql("UPDATE clinicians SET left_on = '2026-01-01' WHERE id = :ana", ana=ward.cast.ana)
    for kind in ("urgent", "death"):
        ward.opens(kind)  # type: ignore[arg-type]
    assert ward.climbs(NOON).exhausted == 2
    assert ward.climbs(NOON).paged == 1
    assert ward.pages() == [ward.cast.sue]
    assert alerts(ward)[2:] == [("nurse_unreachable", "open")]
    ward.taken_by(ward.cast.sue, 3, NOON)
    assert check(ward) == (0, 0, 0)  # nothing new, and not resolved by itself: two patients wait
    assert alerts(ward)[2:] == [("nurse_unreachable", "acknowledged")]


def test_what_a_person_who_saves_a_rota_is_told(ward: Ward) -> None:
    steps = [
        NewStep(Who.SCHEDULER, 5),
        NewStep(Who.ON_CALL, 5, discipline="PT"),
        NewStep(Who.PERSON, 5, person=ward.cast.sue),
    ]
    ward.ladder("nurse", *steps)
    ward.sql(
        "UPDATE clinicians SET phone = NULL, phone_hash = NULL WHERE id IN (:ben, :sue)",
        ben=ward.cast.ben,
        sue=ward.cast.sue,
    )
    with ward.cast.db.agency_session(ward.cast.id) as session:
        found = "\n".join(
            problems(
                session, ward.cast.id, load_crew(session, ward.cast.id, NOON), datetime(2026, 11, 22, 17, tzinfo=UTC)
            )
        )
    for words in (
        "Main: nobody on call can be paged from Sun Nov 22 12:00 to the end",
        "Ben Tester is on the rota and cannot be paged: has no phone",
        "'nurse', step 1: no scheduler",
        "'nurse', step 2: no on call (PT)",
        "'nurse', step 3: no person",
        "'supervisor', step 1: no supervisor",
    ):
        assert words in found
