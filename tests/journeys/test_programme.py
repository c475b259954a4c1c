"""A programme as it is lived and looked at: a question that follows a low score, a calendar ahead, a week tried on the census."""

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from engage.onboarding.book import load_book
from engage.onboarding.export import export_agency
from engage.onboarding.trial import dry_run
from engage.outreach.gather import Terms
from engage.outreach.overrides import Change, override, tag
from engage.outreach.preview import preview
from tests.cast import MONDAY
from tests.conftest import ROOT
from tests.journeys.talk import World

SUNDAY_18 = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
BREATHING = {
    "en": "{{ agency }}: Is it harder than usual to breathe? Reply Y or N. In an emergency call 911. STOP ends texts.",
    "es": "{{ agency }}: Le cuesta respirar? Responda S o N. En una emergencia llame al 911. STOP: fin.",
}


def rows(world: World, statement: str, **values: Any) -> list[Any]:
    with world.cast.db.agency_session(world.cast.id) as session:
        return [tuple(row) for row in session.execute(text(statement), values).all()]


def change(world: World, statement: str, **values: Any) -> None:
    with world.cast.db.agency_session(world.cast.id) as session:
        session.execute(text(statement), values)


@pytest.fixture
def asking(world: World) -> World:
    """Sunday evening: Rose is asked how she feels, and a 1 or 2 is followed by the question of her breath."""
    for language, words in BREATHING.items():
        change(
            world,
            "INSERT INTO templates (agency_id, key, language, version, wording, written_by, reviewed_by, reviewed_at)"
            " VALUES (:a, 'breathing', :language, 1, :words, 'Ana', 'Sue', now())",
            a=world.cast.id,
            language=language,
            words=words,
        )
    change(
        world,
        "INSERT INTO touchpoints (agency_id, key, anchor, useful_minutes, category, priority, template, asks, follows, follows_at_most, yes_opens)"
        " VALUES (:a, 'breathing', 'score', 30, 'checkins', 4, 'breathing', 'yes_no', 'evening-checkin', 2, 'urgent')",
        a=world.cast.id,
    )
    world.go_to(SUNDAY_18)
    world.rose.expects("evening")
    return world


def severity(world: World) -> list[tuple[str, int]]:
    return [(kind, level) for kind, level in rows(world, "SELECT kind, severity FROM alerts ORDER BY id")]


def test_a_yes_makes_the_alert_worse(asking: World) -> None:
    asking.rose.replies("2").expects("nurse will call")  # the alert and its answer wait for nothing
    asking.ana.expects("within the hour")
    assert severity(asking) == [("low_score", 2)]
    asking.rose.expects("harder than usual to breathe", "911").replies("Yes").expects("call 911 now").is_silent()
    assert severity(asking) == [("urgent", 3)]
    assert rows(asking, "SELECT said_yes FROM follow_ups") == [(True,)]
    assert asking.ana.expects("now")


def test_a_no_is_evidence(asking: World) -> None:
    asking.rose.replies("2").expects("nurse will call").expects("breathe").replies("no").expects(
        "noted it for the nurse"
    )
    assert severity(asking) == [("low_score", 2)]
    details = [detail for (detail,) in rows(asking, "SELECT detail FROM alert_events WHERE kind = 'evidence'")]
    assert {"why": "follow_up", "asked": "breathing", "answer": "no"} in details


@pytest.mark.parametrize(
    ("said", "severity_after", "yes"),
    [
        ("yes much harder and my chest hurts", ("urgent", 3), True),  # both are heard
        ("no but my chest hurts and I can't breathe", ("urgent", 3), None),  # no plain no
        ("1", ("low_score", 2), None),  # another number: corrects the score, answers no question
        ("what do you mean", ("low_score", 2), None),
    ],
)
def test_other_answers_are_read_as_any(
    asking: World, said: str, severity_after: tuple[str, int], yes: bool | None
) -> None:
    asking.rose.replies("2").expects("nurse").expects("breathe").replies(said)
    assert severity(asking)[0] == severity_after
    assert rows(asking, "SELECT said_yes FROM follow_ups") == [(yes,)]


def test_it_is_asked_once_and_only_of_whom_it_is_for(asking: World) -> None:
    asking.rose.replies("2").expects("nurse").expects("breathe")
    asking.rose.replies("1").is_silent()  # asked about this check-in already
    asking.time.tick(timedelta(minutes=31))
    asking.rose.replies("yes")  # too late for the question: read as any reply is
    assert rows(asking, "SELECT count(*), count(said_yes) FROM follow_ups") == [(1, 0)]
    override(asking.cast.db, asking.cast.id, "marta", Change("breathing", is_off=True), "test", asking.verbs_now())
    asking.marta.expects("").replies("2").expects("enfermera").is_silent()


def test_a_calendar_by_the_rules_themselves(world: World) -> None:
    cast = world.cast
    cast.visit(cast.rose)
    change(
        world,
        "UPDATE touchpoints SET for_whom = CAST(:rule AS jsonb) WHERE key = 'evening-checkin'",
        rule=json.dumps({"tags": ["chf"]}),
    )
    change(world, "UPDATE agencies SET daily_cap = 2")
    override(
        cast.db,
        cast.id,
        "rose",
        Change("morning-checkin", at=time(8, 30)),
        "test",
        world.verbs_now(),
    )
    found = preview(cast.db, cast.id, "rose", 3, Terms(), world.verbs_now())
    told = [(one.on.isoformat()[8:], one.touchpoint, f"{one.at:%H:%M}") for one in found if one.at]
    assert told == [
        ("22", "day-before", "15:00"),
        ("23", "day-of", "08:00"),
        ("23", "morning-checkin", "08:30"),
        ("24", "morning-checkin", "08:30"),
    ]
    assert "Ana will visit Rose tomorrow" in (found[0].body or "")
    whys = {(one.on.isoformat()[8:], one.touchpoint): one.why_not for one in found if one.why_not}
    assert whys["23", "evening-checkin"] == "It is for patients tagged chf."
    assert whys["24", "day-of"] == "There is no visit it is about."
    assert rows(world, "SELECT count(*) FROM messages") == [(0,)]  # nothing of it is kept
    tag(cast.db, cast.id, "rose", ["CHF"], [], "test", world.verbs_now())
    found = preview(cast.db, cast.id, "rose", 2, Terms(), world.verbs_now())
    capped = next(one for one in found if one.touchpoint == "evening-checkin" and one.on == MONDAY)
    assert (capped.at, capped.reason) == (None, "daily_cap")  # the dispatcher's own rule, ahead of time
    world.rose.replies("STOP")
    found = preview(cast.db, cast.id, "rose", 1, Terms(), world.verbs_now())
    assert {one.why_not for one in found if one.touchpoint == "day-before"} == {
        "Nobody who may be texted has agreed to visits."
    }


def test_a_week_tried_on_the_census(world: World) -> None:
    cast = world.cast
    for ahead in range(3):
        cast.visit(cast.rose, MONDAY + timedelta(days=ahead), clinicians=(cast.ana,))
    prices, now = load_book(ROOT / "config").prices, world.verbs_now()
    as_it_is = dry_run(cast.db, "sunrise", None, prices, now)
    assert as_it_is.patients == 2
    assert as_it_is.days[MONDAY] == {
        "day-of": 1,
        "day-before": 1,
        "morning-checkin": 2,
        "evening-checkin": 2,
        "survey": 1,
    }
    assert (as_it_is.assumed, as_it_is.answered, as_it_is.shifts, as_it_is.above_cap) == (True, 0.5, 1.0, 0)
    with cast.db.agency_session(cast.id) as session:
        document = export_agency(session, cast.id)
    for touchpoint in document.sections["touchpoint"]:
        if touchpoint["key"] == "evening-checkin":
            touchpoint["is_active"] = False
    half = dry_run(cast.db, "sunrise", document, prices, now)
    assert "evening-checkin" not in half.days[MONDAY]
    assert half.bill.middle < as_it_is.bill.middle
    assert half.pages_a_shift < as_it_is.pages_a_shift
    kept = "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM touchpoints WHERE NOT is_active), (SELECT count(*) FROM visits WHERE status <> 'scheduled')"
    assert rows(world, kept) == [(0, 0, 0)]
