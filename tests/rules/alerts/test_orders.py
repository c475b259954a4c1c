"""What a clinician's text asks for, however it is written."""

from datetime import UTC, datetime, time, timedelta

import pytest

from engage.alerts.rules.orders import Order, Verb, again_at, read_order
from engage.alerts.rules.words import Outcome

ONE = ("4821",)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("4821", ONE),
        ("ack 4821", ONE),
        ("4821 ok", ONE),
        ("'4821'", ONE),
        ("\u2018 4821 \u2019", ONE),
        ("4821 and 1177 pls", ("4821", "1177")),
        ("on my way 4821", ONE),
        ("at 1042", ("1042",)),  # alone it is a code
        ("4821!", ONE),
    ],
)
def test_a_code_takes(text: str, codes: tuple[str, ...]) -> None:
    assert read_order(text) == Order(Verb.TAKE, codes)


@pytest.mark.parametrize(
    "text", ["all", "ALL", "ack all", "take all", "'all'", "all ok", "got all of them", "take them all"]
)
def test_all_takes_all(text: str) -> None:
    assert read_order(text) == Order(Verb.TAKE, is_all=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "is that all?",
        "not at all",
        "call me",
        "all patients seen today",
        "123",
        "202-555-4821",
        "what",
        "911",
    ],
)
def test_what_names_no_alert(text: str) -> None:
    assert read_order(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pass 4821", Order(Verb.NEXT, ONE)),
        ("4821 pass", Order(Verb.NEXT, ONE)),
        ("can't 4821", Order(Verb.NEXT, ONE)),
        ("I can\u2019t take 4821, busy", Order(Verb.NEXT, ONE)),
        ("not me 4821", Order(Verb.NEXT, ONE)),
        ("pass all", Order(Verb.NEXT, is_all=True)),
    ],
)
def test_passing_on(text: str, expected: Order) -> None:
    assert read_order(text) == expected


@pytest.mark.parametrize(
    ("text", "outcome", "minutes"),
    [
        ("done 4821 called 12", Outcome.CALLED, 12),
        ("Done 4821: called, 12 min", Outcome.CALLED, 12),
        ("4821 done spoke to her 12m", Outcome.CALLED, 12),
        ("done 4821", None, None),  # what was done is asked for
        ("done 4821 12", None, 12),
        ("resolved 4821 visit added", Outcome.VISIT_ADDED, None),
        ("done 4821 visit moved 5 min", Outcome.VISIT_MOVED, 5),
        ("done 4821 video visit 20", Outcome.VIRTUAL_VISIT, 20),
        ("done 4821 dr changed meds 15", Outcome.MEDICINE_CHANGED, 15),
        ("done 4821 sent to 911", Outcome.SENT_TO_911, None),  # 911 is no number of minutes
        ("done 4821 911 8 min", Outcome.SENT_TO_911, 8),
        ("done 4821 in hospital", Outcome.HOSPITAL, None),
        ("closed 4821 daughter reached 10", Outcome.FAMILY_REACHED, 10),
        ("done 4821 nothing needed", Outcome.NOTHING_NEEDED, None),
        ("done 4821 called 3000", Outcome.CALLED, None),  # nobody calls for two days; it is no code of hers either
    ],
)
def test_what_was_done(text: str, outcome: Outcome | None, minutes: int | None) -> None:
    order = read_order(text)
    assert order is not None
    assert (order.verb, order.codes[0], order.outcome, order.minutes) == (Verb.DONE, "4821", outcome, minutes)
    assert order.note == text


@pytest.mark.parametrize(
    ("text", "at", "after"),
    [
        ("no answer 4821", None, None),
        ("done 4821 no answer", None, None),
        ("4821 left voicemail, again at 3:30 pm", time(15, 30), None),
        ("4821 no answer at 15:30", time(15, 30), None),
        ("4821 didn't pick up, in 20 min", None, timedelta(minutes=20)),
        ("4821 no answer in 2 hours", None, timedelta(hours=2)),
        ("4821 no answer in an hour", None, timedelta(hours=1)),
        ("4821 no answer in half an hour", None, timedelta(minutes=30)),
    ],
)
def test_nobody_answered(text: str, at: time | None, after: timedelta | None) -> None:
    order = read_order(text)
    assert order is not None
    assert (order.verb, order.outcome, order.at, order.after) == (Verb.DONE, Outcome.NO_ANSWER, at, after)


@pytest.mark.parametrize(
    ("text", "at", "after"),
    [
        ("4821 at 3:30 pm", time(15, 30), None),
        ("4821 3pm", time(15), None),
        ("4821 at 3", time(15), None),  # a nurse who says three means the afternoon
        ("4821 at 11", time(11), None),
        ("4821 12 am", time(0), None),
        ("4821 at 1530", time(15, 30), None),  # as hospitals write it: no second code
        ("4821 in 45", None, timedelta(minutes=45)),
        ("try 4821 again at 16:00", time(16), None),
    ],
)
def test_another_time(text: str, at: time | None, after: timedelta | None) -> None:
    assert read_order(text) == Order(Verb.AGAIN, ONE, at=at, after=after)


@pytest.mark.parametrize("text", ["4821 at 25:00", "4821 13 pm", "4821 at 99"])
def test_no_time_on_any_clock(text: str) -> None:
    order = read_order(text)
    assert order is not None
    assert (order.at, order.verb) == (None, Verb.TAKE)


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        (time(12, 30), datetime(2026, 11, 22, 17, 30, tzinfo=UTC)),
        (time(11), datetime(2026, 11, 23, 16, tzinfo=UTC)),  # eleven is over: tomorrow's
        (time(12), datetime(2026, 11, 23, 17, tzinfo=UTC)),  # this very minute too
    ],
)
def test_the_next_time_the_clock_shows_it(wall: time, expected: datetime) -> None:
    assert again_at(wall, "America/New_York", datetime(2026, 11, 22, 17, tzinfo=UTC)) == expected
