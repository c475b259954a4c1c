"""Clocks, charts, threads, the board and the verdict on a text by hand: what the pages print, as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from engage.console.rules.board import Reminders, Standing, read_day, read_wall, standing, sums
from engage.console.rules.chart import Given, draw
from engage.console.rules.clockface import clock_at, day, span
from engage.console.rules.marking import Piece
from engage.console.rules.thread import Delivery, Ours, Theirs, delivery, thread
from engage.console.rules.writing import Reading, verdict
from engage.errors import BadInput
from engage.outreach.rules.words import Channel, Kind
from engage.patients.rules.permission import Hold, Refusal
from engage.patients.rules.words import Category, ConsentKind, PatientStatus, PhoneKind
from engage.sms.rules.statuses import MessageState
from engage.visits.rules.words import VisitAnswer, VisitStatus

NEW_YORK = "America/New_York"
NOON = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # Sunday noon in New York
NIGHT = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)  # 23:30 there


@pytest.mark.parametrize(
    ("at", "language", "told"),
    [
        (NOON, "en", "12:00 PM"),
        (NOON - timedelta(hours=13), "en", "Sat Nov 21 11:00 PM"),  # yesterday there, the same day in UTC
        (NIGHT, "es", "11:30 PM"),  # still today there
        (NOON + timedelta(days=1), "es", "lun 23 nov 12:00 PM"),
    ],
)
def test_a_clock_is_the_patients(at: datetime, language: str, told: str) -> None:
    assert clock_at(at, NEW_YORK, NOON, language) == told


def test_days_and_spans() -> None:
    assert day(date(2026, 11, 23), "xx") == "Mon Nov 23"  # a language nobody knows is English
    spans = {0: "0 min", -5: "0 min", 59: "59 min", 60: "1 h", 125: "2 h 5 min", 1440: "1 d", 4560: "3 d 4 h"}
    assert {minutes: span(timedelta(minutes=minutes)) for minutes in spans} == spans


def test_a_chart_keeps_its_proportions() -> None:
    given = [
        Given(NOON, 5),
        Given(NOON + timedelta(days=1), 1, is_low=True),
        Given(NOON + timedelta(days=2), 4, is_corrected=True),
    ]
    chart = draw(given, 4)
    assert chart is not None
    best, worst, corrected = chart.points
    assert best.y < corrected.y == chart.level_y < worst.y  # 5 is on top
    assert corrected.x - worst.x == pytest.approx(worst.x - best.x, abs=0.2)
    assert len(chart.line.split()) == 2  # a corrected score is shown, but the line does not go there
    assert draw([], 3) is None
    alone = draw([Given(NOON, 3)], None)
    assert alone is not None
    assert alone.level_y is None


@pytest.mark.parametrize(
    ("state", "reason", "shown"),
    [
        (MessageState.PLANNED, None, Delivery.WAITS),
        (MessageState.PLANNED, "quiet_hours", Delivery.HELD),
        (MessageState.UNKNOWN, None, Delivery.PERHAPS),
        (MessageState.SENT, None, Delivery.SENT),
        (MessageState.UNDELIVERED, "unreachable", Delivery.NOT_DELIVERED),  # a failure, however it sounds
        (MessageState.SUPPRESSED, "opted_out", Delivery.NOT_SENT),
        (MessageState.EXPIRED, "too_late", Delivery.NOT_SENT),
    ],
)
def test_what_became_of_a_text(state: MessageState, reason: str | None, shown: Delivery) -> None:
    assert delivery(state, reason) is shown
    assert all(delivery(each, None) for each in MessageState)


def test_a_thread_reads_as_on_the_phone() -> None:
    asked = Ours(1, NOON, Kind.TOUCHPOINT, Channel.SMS, "checkin", "How?", Delivery.DELIVERED, "Rose", True, 1, None)
    said = Theirs(7, NOON, (Piece("2"),), ("score",), 2, "Rose", True, False, 0, False)
    late = replace(asked, id=2, at=NIGHT + timedelta(hours=1))
    days = thread([late, asked], [said], NEW_YORK)
    assert [(each.on, [one.id for one in each.said]) for each in days] == [
        (date(2026, 11, 22), [7, 1]),
        (date(2026, 11, 23), [2]),  # by the patient's calendar
    ]


SENT, LOST, WAITING = Reminders(arrived=1), Reminders(lost=2), Reminders(lost=1, waiting=1)


@pytest.mark.parametrize(
    ("status", "answer", "reminders", "shown"),
    [
        (VisitStatus.SCHEDULED, None, Reminders(), Standing.NOT_ASKED),
        (VisitStatus.SCHEDULED, None, SENT, Standing.SILENT),
        (VisitStatus.SCHEDULED, None, LOST, Standing.UNREACHABLE),
        (VisitStatus.SCHEDULED, None, WAITING, Standing.NOT_ASKED),  # the second reminder may still arrive
        (VisitStatus.SCHEDULED, None, Reminders(1, 1), Standing.SILENT),  # the daughter has it
        (VisitStatus.SCHEDULED, VisitAnswer.CONFIRMED, LOST, Standing.CONFIRMED),  # by phone
        (VisitStatus.SCHEDULED, VisitAnswer.WANTS_ANOTHER_TIME, SENT, Standing.WANTS_ANOTHER_TIME),
        (VisitStatus.SCHEDULED, VisitAnswer.DOES_NOT_WANT_IT, SENT, Standing.DECLINED),
        (VisitStatus.MISSED, VisitAnswer.CONFIRMED, SENT, Standing.MISSED),  # the end is stronger than the answer
        (VisitStatus.CANCELLED, None, SENT, Standing.CANCELLED),
        (VisitStatus.COMPLETED, None, SENT, Standing.COMPLETED),
    ],
)
def test_where_a_visit_stands(
    status: VisitStatus, answer: VisitAnswer | None, reminders: Reminders, shown: Standing
) -> None:
    assert standing(status, answer, reminders) is shown


def test_the_sums_of_a_day() -> None:
    counted = sums([Standing.SILENT, Standing.CONFIRMED, Standing.SILENT])
    assert list(counted.items()) == [(Standing.SILENT, 2), (Standing.CONFIRMED, 1)]


@pytest.mark.parametrize("value", ["", "23.11.2026", "2026-02-30", "tomorrow"])
def test_a_day_that_is_none(value: str) -> None:
    with pytest.raises(BadInput):
        read_day(value)


def test_a_time_that_is_none() -> None:
    assert (read_wall(" 09:30 "), read_wall("")) == (time(9, 30), None)
    with pytest.raises(BadInput):
        read_wall("half past")


ROSE = Reading(
    PatientStatus.ACTIVE, PhoneKind.MOBILE, False, Category.CHECKINS, None, NEW_YORK, (time(8), time(21)), None, None, False, False
)  # fmt: skip


@pytest.mark.parametrize(
    ("reader", "now", "told"),
    [
        (ROSE, NOON, None),
        (ROSE, NIGHT, Hold(datetime(2026, 11, 23, 13, 0, tzinfo=UTC))),  # until eight in the morning there
        (replace(ROSE, has_written=True), NIGHT, None),  # an answer may go at any hour
        (
            replace(ROSE, own_hours=(time(13), time(15))),
            NOON,
            Hold(datetime(2026, 11, 22, 18, 0, tzinfo=UTC), "patient_hours"),
        ),
        (replace(ROSE, granted=None), NOON, Refusal.NO_CONSENT),
        (replace(ROSE, granted=None, has_written=True), NOON, None),
        (replace(ROSE, phone_word=ConsentKind.OPTED_OUT, has_written=True), NOON, Refusal.OPTED_OUT),
        (replace(ROSE, status=PatientStatus.HOSPITALIZED), NOON, Refusal.HOSPITALIZED),
        (replace(ROSE, phone_kind=PhoneKind.LANDLINE), NOON, Refusal.LANDLINE),
    ],
)
def test_what_becomes_of_a_text_by_hand(reader: Reading, now: datetime, told: Refusal | Hold | None) -> None:
    assert verdict(reader, now) == told
