"""The alert budget by tables: what opens, joins, is missed or new, and who is paged in which shift until it is taken."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from engage.agencies.rules.oncall import Shift
from engage.agencies.rules.people import Role
from engage.agencies.rules.rota import Rota
from engage.alerts.rules.ladder import Step
from engage.alerts.rules.words import AlertKind, Who
from engage.errors import BadInput
from engage.reports.rules.budget import KindRule, LadderRule, PastAlert, Person, Roster, Rules, Trigger, replay
from engage.reports.rules.proposal import changed_by_lines, changed_by_tables

NOON = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # Sunday noon in New York
LOW, URGENT = AlertKind.LOW_SCORE, AlertKind.URGENT
ANA, BEN, SUE, ROSE, MARTA = 1, 2, 3, 10, 11
MINUTE = timedelta(minutes=1)

RULES = Rules(
    kinds={kind: KindRule(3 if kind is URGENT else 2, "nurse") for kind in AlertKind},
    ladders={
        "nurse": LadderRule((Step(1, Who.NURSE, 10 * MINUTE), Step(2, Who.ON_CALL, 10 * MINUTE)), 2),
        "supervisor": LadderRule((Step(3, Who.SUPERVISOR, 60 * MINUTE),), 1),
    },
    at_most={"morning-checkin": 2, "evening-checkin": 2, "survey": 6},
)
NIGHT = Shift(BEN, "America/New_York", frozenset(range(7)), time(17), time(8), branch_id=7)
DAY = Shift(BEN, "America/New_York", frozenset(range(7)), time(8), time(17))
ROSTER = Roster(
    rota=Rota(
        "America/New_York", {7: "America/New_York"}, (NIGHT, DAY), visiting_after=time(0), visiting_until=time(23, 59)
    ),
    people=(Person(ANA, Role.NURSE, 7), Person(BEN, Role.NURSE, None), Person(SUE, Role.SUPERVISOR, 7)),
    patients={ROSE: (7, (ANA,)), MARTA: (7, ())},
)


def past(
    alert: int, minutes: float = 0, *, kind: AlertKind = LOW, taken: float | None = None, patient: int = ROSE
) -> PastAlert:
    after = None if taken is None else taken * MINUTE
    return PastAlert(alert, kind, patient, NOON + minutes * MINUTE, after)


def why(
    minutes: float, alert: int | None = None, *, kind: AlertKind = LOW, patient: int | None = ROSE, reply: int = 1
) -> Trigger:
    return Trigger(NOON + minutes * MINUTE, kind, patient, reply, alert)


@pytest.mark.parametrize(
    ("alerts", "triggers", "count", "missed", "added", "pages"),
    [
        pytest.param([past(1, taken=5)], [why(0, 1)], 1, (), 0, 1, id="as it was: the nurse, once"),
        pytest.param(
            [past(1, taken=10)], [why(0, 1)], 1, (), 0, 1, id="taken when the next step is due: no more pages"
        ),
        pytest.param([past(1, taken=11)], [why(0, 1)], 1, (), 0, 2, id="a minute later: she on call, too"),
        pytest.param([past(1)], [why(0, 1)], 1, (), 0, 4, id="nobody took it: the whole ladder, twice round"),
        pytest.param([past(1, taken=5)], [], 0, (1,), 0, 0, id="missed"),
        pytest.param([past(1, taken=5)], [why(0, 1), why(3)], 1, (), 0, 1, id="joins while it is open"),
        pytest.param(
            [past(1, taken=5)], [why(0, 1), why(6)], 2, (), 1, 2, id="a new one when it is taken; taken as usual"
        ),
        pytest.param(
            [past(1, taken=5)],
            [why(0, 1), why(3, kind=AlertKind.COMPLAINT)],
            2,
            (),
            1,
            2,
            id="another story is another alert",
        ),
        pytest.param(
            [past(1, taken=20), past(2, 15, taken=9)], [why(0, 1), why(15, 2)], 1, (), 0, 2, id="two that would be one"
        ),
        pytest.param(
            [], [why(0, patient=None), why(1, patient=None)], 2, (), 2, 4, id="unknown phones are never joined"
        ),
        pytest.param([], [why(0, patient=MARTA)], 1, (), 1, 2, id="no nurse of her own: only she on call"),
    ],
)
def test_replay(
    alerts: list[PastAlert], triggers: list[Trigger], count: int, missed: tuple[int, ...], added: int, pages: int
) -> None:
    done = replay(RULES, alerts, triggers, ROSTER, 2)
    assert (done.load.alerts, done.missed, len(done.added), done.load.pages) == (count, missed, added, pages)
    assert done.load.alerts_a_day == count / 2


def test_pages_belong_to_the_shift_in_which_they_come() -> None:
    """20:00 and 02:00 are one night, 10:00 is another shift; Ana has none, so her pages belong to the day."""
    times = (8 * 60, 14 * 60, 22 * 60)
    done = replay(RULES, [], [why(at, reply=at) for at in times], ROSTER, 1)
    ben, ana = done.load.nurses[1], done.load.nurses[0]
    assert (ben.clinician, ben.shifts, ben.pages, ben.most) == (BEN, 2, 6, 4)
    assert (ana.clinician, ana.shifts, ana.pages) == (ANA, 2, 6)
    assert (done.load.most_in_a_shift, done.load.pages_a_shift, done.load.exhausted) == (4, 3.0, 3)
    assert ROSTER.shift_day(BEN, NOON + 14 * 60 * MINUTE) == date(2026, 11, 22)  # 02:00 on Monday


def test_an_alert_that_was_not_there_is_taken_as_those_of_its_severity_were() -> None:
    alerts = [past(1, taken=3), past(2, 60, taken=30), past(3, 120, taken=12), past(4, 180, kind=URGENT, taken=1)]
    triggers = [why(at, alert, reply=alert) for at, alert in ((0, 1), (60, 2), (120, 3))] + [why(180, 4, kind=URGENT)]
    known = replay(RULES, alerts, triggers, ROSTER, 1).load.pages
    more = replay(RULES, alerts, [*triggers, why(300, reply=9)], ROSTER, 1).load.pages
    assert more - known == 2  # twelve minutes: the nurse and she on call


def test_other_ladders_and_severities() -> None:
    rules = changed_by_lines(RULES, ["low_score.ladder=supervisor", "low_score.severity=1"], frozenset())
    load = replay(rules, [past(1)], [why(0, 1)], ROSTER, 1).load
    assert [nurse.clinician for nurse in load.nurses] == [SUE]
    assert (load.by_severity, load.exhausted) == ({1: 1}, 1)


CHECKINS = frozenset({"morning-checkin", "evening-checkin"})


def test_lines_and_tables_say_the_same() -> None:
    lines = [
        "alert_at_most=3",
        "survey.alert_at_most=none",
        "urgent.severity=3",
        "nurse.rounds=1",
        "nurse.steps=on_call 5",
    ]
    tables = {
        "touchpoint": [
            {"key": "morning-checkin", "alert_at_most": 3},
            {"key": "evening-checkin", "alert_at_most": 3},
            {"key": "survey"},  # without a threshold nothing alerts
        ],
        "alert": {"urgent": {"severity": 3, "ladder": "nurse", "acknowledged_minutes": 60}},
        "ladder": [{"key": "nurse", "rounds": 1, "steps": [{"who": "on_call", "wait_minutes": 5}]}],
    }
    changed = changed_by_lines(RULES, lines, CHECKINS)
    assert changed == changed_by_tables(RULES, tables)
    assert changed.at_most == {"morning-checkin": 3, "evening-checkin": 3, "survey": None}
    assert changed.ladders["nurse"] == LadderRule((Step(-1, Who.ON_CALL, 5 * MINUTE),), 1)
    assert changed_by_lines(RULES, [], CHECKINS) == changed_by_tables(RULES, {}) == RULES


def test_a_new_ladder_can_be_tried() -> None:
    tables = {
        "ladder": [{"key": "night", "rounds": 1, "steps": [{"who": "on_call", "wait_minutes": 5}]}],
        "alert": {"urgent": {"ladder": "night"}},
    }
    assert changed_by_tables(RULES, tables).kinds[URGENT] == KindRule(3, "night")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("alert_at_most", "NAME=VALUE"),
        ("=3", "NAME"),
        ("alert_at_most=", "NAME=VALUE"),
        ("alert_at_most=eleven", "0 to 10"),
        ("alert_at_most=11", "0 to 10"),
        ("alert_at_most=-1", "0 to 10"),
        ("alert_at_most=²", "0 to 10"),  # a digit to Python, not to people
        ("lunch.alert_at_most=2", "names nothing here"),
        ("low_scores.severity=2", "low_score"),
        ("low_score.severity=4", "1 to 3"),
        ("low_score.ladder=moon", "there are: nurse, supervisor"),
        ("low_score.colour=red", "colour"),
        ("morning-checkin.local_time=9", "names nothing"),
        ("nurse.rounds=21", "1 to 20"),
        ("nurse.steps=moon 5", "on_call"),
        ("nurse.steps=nurse", "whole number of minutes"),
        ("nurse.steps=nurse 5,", "nobody a step can page"),
        ("nurse.steps=person:N7 5", "one person"),
    ],
)
def test_a_line_that_cannot_be_used_is_one_sentence(line: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as problem:
        changed_by_lines(RULES, [line], CHECKINS)
    assert str(problem.value).endswith(".")


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"agency": {}}, "agency; only touchpoint, alert, ladder"),
        ({"touchpoint": {"key": "survey"}}, r"\[\[touchpoint\]\]"),
        ({"touchpoint": [{"alert_at_most": 2}]}, "needs its key"),
        ({"touchpoint": ["survey"]}, "needs its key"),
        ({"touchpoint": [{"key": "survey", "local_time": 9}]}, "local_time"),
        ({"touchpoint": [{"key": "day-before", "alert_at_most": 2}]}, "asks for a score"),
        ({"touchpoint": [{"key": "survey", "alert_at_most": True}]}, "whole number"),
        ({"alert": [{"kind": "urgent"}]}, "tables such as"),
        ({"alert": {"urgent": 3}}, r"\?"),
        ({"alert": {"panic": {}}}, "no kind of alert"),
        ({"ladder": [{"key": "night", "rounds": 1}]}, "new, so it needs"),
        ({"ladder": [{"key": "nurse", "steps": []}]}, "at least one step"),
        ({"ladder": [{"key": "nurse", "steps": [{"who": "nurse", "wait_minutes": 2.5}]}]}, "whole number of minutes"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(tables: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says) as problem:
        changed_by_tables(RULES, tables)
    assert str(problem.value).endswith(".")
