"""A programme as the day goes, whoever is looked for in it, and what its history tells."""

from datetime import date, time
from typing import Any

import pytest

from engage.console.rules.timeline import Line, Moment, Part, looked_for, read_line, timeline
from engage.console.rules.touchpoint_form import read_touchpoint
from engage.errors import BadInput
from engage.outreach.rules.groups import Facts, Group, TaperStep
from engage.outreach.rules.words import Anchor, Asks

SUNDAY = date(2026, 11, 22)


def moment(key: str, anchor: Anchor, **values: Any) -> Moment:
    usual: dict[str, Any] = {
        "offset_days": 0, "offset_minutes": 0, "at": None, "useful_minutes": 60, "spread_minutes": 0, "category": "visits",
        "asks": Asks.NOTHING, "template": key, "only_monitored": False, "alert_at_most": None, "group": Group(), "taper": (),
        "follows": None, "follows_at_most": None, "yes_opens": None, "is_active": True,
    }  # fmt: skip
    return Moment(key, anchor, **usual | values)


def test_a_programme_is_told_as_the_day_goes() -> None:
    told = timeline(
        [
            moment("survey", Anchor.VISIT_COMPLETED, offset_minutes=120),
            moment("evening", Anchor.EVERY_DAY, at=time(18)),
            moment("morning", Anchor.EVERY_DAY, at=time(9)),
            moment("breath", Anchor.SCORE, follows="morning"),
            moment("lost", Anchor.SCORE, follows="nothing"),  # follows what is not there: shown at the end, not hidden
            moment("later", Anchor.VISIT_DAY, offset_days=1, at=time(9)),
            moment("day-of", Anchor.VISIT_DAY, at=time(8)),
            moment("day-before", Anchor.VISIT_DAY, offset_days=-1, at=time(15)),
            moment("three-before", Anchor.VISIT_DAY, offset_days=-3, at=time(15)),
        ]
    )
    assert [(section.part, section.days, [one.key for one in section.moments]) for section in told] == [
        (Part.BEFORE, -3, ["three-before"]),
        (Part.BEFORE, -1, ["day-before"]),
        (Part.THE_DAY, 0, ["day-of"]),
        (Part.LATER, 1, ["later"]),
        (Part.EVERY_DAY, 0, ["morning", "evening"]),
        (Part.AFTER, 0, ["survey"]),
        (Part.LOOSE, 0, ["lost"]),
    ]
    assert [one.key for one in told[4].moments[0].followed_by] == ["breath"]


def test_one_kind_of_patient_is_looked_for() -> None:
    every = [
        moment("all", Anchor.EVERY_DAY, at=time(9)),
        moment("heart", Anchor.EVERY_DAY, at=time(9), group=Group(tags=("chf",))),
        # a taper is about days, not about whom: on a Sunday it is still for this patient
        moment("thin", Anchor.EVERY_DAY, at=time(9), taper=(TaperStep(None, (0,)),)),
    ]
    found = looked_for(every, Facts("home_health"), SUNDAY)
    assert [one.is_for_others for one in found] == [False, True, False]
    assert looked_for(every, None, SUNDAY) == every


@pytest.mark.parametrize(
    ("says", "line"),
    [
        ("~ touchpoint day-before, local_time: 15:00:00 -> 16:00:00", Line("day-before", "local_time", "15:00:00", "16:00:00")),
        ("+ touchpoint day-of, alert_at_most: 2", Line("day-of", "alert_at_most", None, "2")),
        ("- touchpoint day-of, for_whom: tags chf", Line("day-of", "for_whom", "tags chf", None)),
        ("+ touchpoint new: key new, anchor every_day", Line("new", None, None, "key new, anchor every_day")),
        ("~ ladder nurse, rounds: 2 -> 3", None),  # another matter
    ],
)  # fmt: skip
def test_history_is_read_from_the_lines_of_a_comparison(says: str, line: Line | None) -> None:
    assert read_line(says) == line


PRESENT = {
    "key": "evening", "anchor": "every_day", "local_time": time(18), "useful_minutes": 150, "asks": "score_1_5",
    "alert_at_most": 2, "template": "evening", "for_whom": {"tags": ["chf"]}, "category": "checkins", "priority": 4,
}  # fmt: skip
FORM = {"is_active": ["1"], "useful_minutes": ["150"], "local_time": ["19:30"], "template": ["evening"]}


def test_a_form_becomes_the_entry_of_a_file() -> None:
    form = FORM | {"alert_at_most": [""], "tags": [" COPD, chf ,"], "until_day": ["15"], "taper-0-until": ["15"]}
    form |= {"taper-1-days": ["mon", "thu", "never"], "useful_minutes": ["90"]}
    entry = read_touchpoint(form, PRESENT)
    assert entry["local_time"] == time(19, 30)
    assert (entry["is_active"], entry["only_monitored"], entry["useful_minutes"]) == (True, False, 90)
    assert entry["for_whom"] == {"tags": ["COPD", "chf"], "until_day": 15}
    assert entry["taper"] == [{"until_day": 15}, {"days": ["mon", "thu"]}]
    assert "alert_at_most" not in entry  # emptied: it calls nobody
    assert (entry["priority"], entry["category"]) == (4, "checkins")  # what the form does not have stays


@pytest.mark.parametrize(
    "wrong",
    [{"local_time": [""]}, {"local_time": ["25:00"]}, {"useful_minutes": [""]}, {"useful_minutes": ["²"]}, {"until_day": ["x"]}],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(wrong: dict[str, list[str]]) -> None:
    with pytest.raises(BadInput):
        read_touchpoint(FORM | wrong, PRESENT)
