"""Who is paged, on real rows: shifts, disciplines, fallbacks, branches, hours, and never whoever is complained about."""

from datetime import UTC, date, datetime, time, timedelta

from engage.alerts.ladders import NewStep
from engage.alerts.rules.ladder import Hours
from engage.alerts.rules.words import AlertKind, Who
from tests.cast import NOON
from tests.flows.alerts.ward import Ward

NIGHT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # two in the morning in New York
DAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # ten on Monday


def test_by_day_the_patient_s_nurse_and_by_night_the_night_shift(ward: Ward) -> None:
    ana, ben, sue = ward.cast.ana, ward.cast.ben, ward.cast.sue
    alert = ward.opens(AlertKind.URGENT)
    assert ward.reach(alert, NOON) == {Who.NURSE: [ana], Who.ON_CALL: [ben], Who.SUPERVISOR: [sue]}
    assert ward.reach(alert, NIGHT)[Who.NURSE] == []  # she sleeps, and Ben is there
    ward.shift(ana, "08:00", "16:00", "visiting", "{0,1,2,3,4}")
    assert ward.reach(alert, NOON)[Who.NURSE] == []  # a Sunday
    assert ward.reach(alert, DAY)[Who.NURSE] == [ana]
    ward.sql("UPDATE clinicians SET texts_stopped_at = :now WHERE id = :who", now=NOON, who=ben)
    assert ward.reach(alert, NIGHT) == {
        Who.NURSE: [ana],
        Who.ON_CALL: [],
        Who.SUPERVISOR: [sue],
    }  # nobody stands in for her
    tom = ward.hires("Tom")
    ward.shift(tom, "00:00", "00:00", "fallback")
    assert ward.reach(alert, NIGHT) == {Who.NURSE: [], Who.ON_CALL: [tom], Who.SUPERVISOR: [sue]}


def test_who_visits_next_stands_in_for_a_case_manager_who_is_away(ward: Ward) -> None:
    tom = ward.hires("Tom")
    ward.cast.visit(ward.cast.rose, clinicians=(tom,))
    alert = ward.opens(AlertKind.URGENT)
    ward.sql(
        "INSERT INTO shift_changes (agency_id, kind, clinician_id, starts_local, ends_local)"
        " VALUES (:agency, 'remove', :ana, '2026-11-20', '2026-11-30')",
        agency=ward.cast.id,
        ana=ward.cast.ana,
    )
    assert ward.reach(alert, NOON)[Who.NURSE] == [tom]
    ward.sql("UPDATE clinicians SET left_on = '2026-11-01' WHERE id = :tom", tom=tom)
    assert ward.reach(alert, NOON)[Who.NURSE] == []


def test_whoever_is_complained_about_is_never_paged(ward: Ward) -> None:
    """Ben came yesterday, so the complaint is about him, whatever step would name him; Ana comes tomorrow."""
    ana, ben, sue = ward.cast.ana, ward.cast.ben, ward.cast.sue
    ward.cast.visit(ward.cast.rose, date(2026, 11, 21), clinicians=(ben,))
    ward.cast.visit(ward.cast.rose, date(2026, 11, 14), clinicians=(sue,))
    ward.cast.visit(ward.cast.rose, date(2026, 11, 23), clinicians=(ana,))
    steps = [
        NewStep(Who.NURSE, 5),
        NewStep(Who.ON_CALL, 5),
        NewStep(Who.PERSON, 5, person=ben),
        NewStep(Who.SUPERVISOR, 5),
    ]
    ward.ladder("supervisor", *steps, rounds=2)
    complaint = ward.opens(AlertKind.COMPLAINT)
    assert ward.reach(complaint, NOON) == {Who.NURSE: [ana], Who.ON_CALL: [], Who.PERSON: [], Who.SUPERVISOR: [sue]}
    for minutes in range(0, 40, 5):
        ward.climbs(NOON + timedelta(minutes=minutes))
    assert set(ward.pages(complaint)) == {ana, sue}
    assert ben in ward.reach(ward.opens(AlertKind.URGENT), NOON)[Who.ON_CALL]  # other alerts are his as before


def test_a_step_of_one_discipline_and_one_of_named_hours(ward: Ward) -> None:
    pat = ward.hires("Pat", "therapist", discipline="PT")
    ward.shift(pat, "00:00", "00:00")
    steps = [
        NewStep(Who.ON_CALL, 10, discipline="PT"),
        NewStep(Who.SUPERVISOR, 15, hours=Hours(time(8), time(17))),
        NewStep(Who.ON_CALL, 20),
    ]
    ward.ladder("nurse", *steps)
    alert = ward.opens(AlertKind.URGENT, NIGHT)
    ward.climbs(NIGHT)
    ward.climbs(NIGHT + timedelta(minutes=10))
    assert ward.pages(alert) == [pat, ward.cast.ben, pat]  # the supervisor sleeps


def test_a_branch_s_own_ladder_takes_the_place_of_the_agency_s(ward: Ward) -> None:
    far = ward.sql(
        "INSERT INTO branches (agency_id, emr_id, name, time_zone) VALUES (:agency, 'far', 'Far', 'America/Denver') RETURNING id",
        agency=ward.cast.id,
    )[0][0]
    tom = ward.hires("Tom", "supervisor", branch=far)
    ward.sql("UPDATE patients SET branch_id = :far WHERE id = :marta", far=far, marta=ward.cast.marta)
    before = ward.opens(AlertKind.URGENT, patient=ward.cast.marta)
    ward.climbs(NOON)
    ward.ladder("nurse", NewStep(Who.SUPERVISOR, 7), branch=far)  # takes over what is open there, from its first step
    ward.climbs(NOON)
    assert ward.pages(before) == [ward.cast.ana, tom]
    assert ward.alert(before).next_due_at == NOON + timedelta(minutes=7)
    rose = ward.opens(AlertKind.URGENT)
    assert (ward.alert(rose).ladder_id, ward.alert(rose).branch_id) == (ward.ladder_id("nurse"), ward.cast.branch)
    marta = ward.opens(AlertKind.OPT_OUT, patient=ward.cast.marta)
    assert (ward.alert(marta).ladder_id, ward.alert(marta).branch_id) == (ward.ladder_id("nurse", far), far)
