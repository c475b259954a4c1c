"""What becomes of a claimed message: a row for every way in which it leaves, waits or ends."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from engage.outreach.rules.draft import Clinician, Companion, Draft, Drop, Ready, decide
from engage.outreach.rules.paging import Limit, Pager, Quiet
from engage.outreach.rules.wording import PlannedVisit
from engage.outreach.rules.words import Channel, Kind
from engage.patients.rules.loops import Answered
from engage.patients.rules.permission import Hold, Reader, Refusal
from engage.patients.rules.words import Category, ConsentKind, PatientStatus, PhoneKind
from tests.rules.rose import ROSE

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # Monday 12:00 in New York
NIGHT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # 02:00
OPENING = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)

STOPPED = replace(ROSE, phone_word=ConsentKind.OPTED_OUT)

TEXT = Draft(
    kind=Kind.TOUCHPOINT,
    template="morning-checkin",
    wording="{{ agency }}: Good morning {{ patient }}. Call {{ phone }}.",
    language="en",
    reader=ROSE,
    clinician=None,
    to="+12025550111",
    has_sender=True,
    agency="Sunrise",
    office_phone="+12025550150",
    patient="Rose",
    zone="America/New_York",
    params={},
    occasion_on=None,
    visits=(),
    visited_on=None,
    expires_at=NOON + timedelta(hours=3),
)
REMINDER = replace(
    TEXT,
    wording="{{ clinicians }} on {{ day }}, {{ times }}",
    occasion_on=date(2026, 11, 24),
    visits=(PlannedVisit(time(10), ("Ana",)),),
)
ANSWER = replace(TEXT, kind=Kind.ANSWER, template="answer-person")
PAGER = Pager(("4821",), 2)
PAGE = replace(
    TEXT,
    kind=Kind.PAGE,
    template="page",
    wording="{{ agency }}: {{ code }}",
    reader=None,
    clinician=Clinician(has_left=False, has_stopped_texts=False),
    params={"code": "4821"},
    pager=PAGER,
)
EXEMPT = replace(TEXT, reader=replace(ROSE, has_exemption_only=True, category=Category.CHECKINS))
AL = Companion("Al", (PlannedVisit(time(9), ("Ben",)),))
LIMITS = (Limit(1, timedelta(minutes=1)),)
LATELY = replace(PAGER, sent=(NOON - timedelta(seconds=20),))
ASLEEP = replace(PAGER, quiet=Quiet(time(11), time(13), "America/New_York"))
MAIL = replace(PAGE, channel=Channel.EMAIL, to="ana@example.org")
NOTE = replace(PAGE, kind=Kind.NOTE, template="note-taken", pager=None)


@pytest.mark.parametrize(
    ("draft", "body"),
    [
        (TEXT, "Sunrise: Good morning Rose. Call (202) 555-0150."),
        (REMINDER, "Ana on Tue Nov 24, around 10:00 AM"),
        (ANSWER, "Sunrise: Good morning Rose. Call (202) 555-0150."),
        (PAGE, "Sunrise: 4821"),
        (
            replace(NOTE, template="trial", wording=None, words="(Test) Hello"),
            "(Test) Hello",
        ),  # a wording tried by its author
        (NOTE, "Sunrise: 4821"),  # a note about an alert that is taken is what it is for
        (replace(TEXT, wording="noted your {{ score }}", params={"score": 4}), "noted your 4"),
        (replace(TEXT, wording="{{ when }}", visited_on=date(2026, 11, 22)), "yesterday's"),
        (replace(TEXT, wording="{{ when }}", visited_on=date(2026, 11, 23)), "today's"),
        # everybody on the phone who would have had the text
        (replace(TEXT, wording="Good morning {{ patient }}", companions=(AL,)), "Good morning Rose and Al"),
        (
            replace(TEXT, wording="¿Qué tal {{ patient }}?", language="es", companions=(AL, Companion("Sue"))),
            "¿Qué tal Rose, Al y Sue?",
        ),
        (
            replace(REMINDER, companions=(AL,)),
            "Ben and Ana on Tue Nov 24, around 9:00 AM and 10:00 AM",
        ),  # in time's order
        (
            replace(REMINDER, companions=(Companion("Al", (PlannedVisit(None, ("Ana",)),)),)),
            "Ana on Tue Nov 24, around 10:00 AM",
        ),
        # one segment is what the healthcare exemption allows, to the last character
        (replace(EXEMPT, wording="a" * 160), "a" * 160),
        # the patient's calendar: 23:30 in Honolulu on the 22nd is already the 23rd in UTC
        (replace(TEXT, wording="{{ when }}", visited_on=date(2026, 11, 22), zone="Pacific/Honolulu"), "yesterday's"),
    ],
)
def test_it_leaves(draft: Draft, body: str) -> None:
    assert decide(draft, NOON) == Ready(body, 1)


def test_the_calendar_of_a_survey_is_that_of_the_patient() -> None:
    draft = replace(
        TEXT, kind=Kind.ANSWER, wording="{{ when }}", visited_on=date(2026, 11, 22), zone="Pacific/Honolulu"
    )
    assert decide(draft, NIGHT) == Ready("today's", 1)  # 21:00 of the 22nd there


def test_segments_are_counted() -> None:
    assert decide(replace(TEXT, wording="í" * 71), NOON) == Ready("í" * 71, 2)


@pytest.mark.parametrize(
    ("draft", "changed", "now", "expected"),
    [
        # the reader
        (TEXT, {}, NIGHT, Hold(OPENING)),
        (TEXT, {}, NOON + timedelta(hours=3), Refusal.TOO_LATE),
        (TEXT, {"reader": STOPPED}, NOON, Refusal.OPTED_OUT),
        (TEXT, {"reader": replace(ROSE, status=PatientStatus.DECEASED)}, NOON, Refusal.DECEASED),
        (TEXT, {"reader": replace(ROSE, sent_today=5)}, NOON, Refusal.DAILY_CAP),
        (TEXT, {"reader": None}, NOON, Drop.NO_PHONE),
        (TEXT, {"to": None}, NOON, Drop.NO_PHONE),
        # the occasion
        (REMINDER, {"visits": ()}, NOON, Drop.VISIT_CHANGED),
        (REMINDER, {"visits": (), "reader": STOPPED}, NOON, Refusal.OPTED_OUT),  # the weightier reason
        # us
        (TEXT, {"has_sender": False}, NOON, Drop.NO_SENDER),
        (TEXT, {"wording": None}, NOON, Drop.NO_WORDING),
        # wording that an agency got wrong ends its own text, whatever it raises, and never the batch
        (TEXT, {"wording": "{{ nurse }}"}, NOON, Drop.NO_WORDING),
        (TEXT, {"wording": "{{ agency"}, NOON, Drop.NO_WORDING),
        (TEXT, {"wording": "{{ agency | nothing }}"}, NOON, Drop.NO_WORDING),
        (TEXT, {"wording": "{{ phone / 2 }}"}, NOON, Drop.NO_WORDING),
        (TEXT, {"wording": "{{ 1 / 0 }}"}, NOON, Drop.NO_WORDING),
        (TEXT, {"wording": "{% for x in range(10 ** 9) %}{% endfor %}"}, NOON, Drop.NO_WORDING),
        (TEXT, {"wording": "{{ agency.__class__.__mro__ }}"}, NOON, Drop.NO_WORDING),  # the sandbox holds
        (TEXT, {"wording": "{% include 'x' %}"}, NOON, Drop.NO_WORDING),
        (TEXT, {"wording": "{% if false %}Hello{% endif %} "}, NOON, Drop.NO_WORDING),  # Twilio refuses an empty text
        (TEXT, {"wording": "{{ 'a' * 1601 }}"}, NOON, Drop.NO_WORDING),  # … and one that is too long
        # the healthcare exemption
        (EXEMPT, {"wording": "a" * 161}, NOON, Drop.EXEMPTION_LENGTH),
        (EXEMPT, {"wording": "í" * 71}, NOON, Drop.EXEMPTION_LENGTH),  # 71 characters, but two messages on the air
        (
            EXEMPT,
            {"reader": replace(ROSE, has_exemption_only=True, category=Category.SURVEYS)},
            NOON,
            Refusal.EXEMPTION_PURPOSE,
        ),
        # a phone that several patients share
        (
            REMINDER,
            {"visits": (), "companions": (AL,)},
            NOON,
            Drop.VISIT_CHANGED,
        ),  # Al's visit is told by Al's own text
        (REMINDER, {"reader": replace(ROSE, is_told=True), "visits": ()}, NOON, Refusal.SHARED_PHONE),
        # two machines
        (ANSWER, {"reader": replace(ROSE, answered=Answered(6, 6))}, NOON, Refusal.LOOP_GUARD),
        (
            ANSWER,
            {"template": "answer-opt-out", "reader": replace(STOPPED, answered=Answered(6, 6))},
            NOON,
            Refusal.LOOP_GUARD,
        ),
        (
            ANSWER,
            {"template": "answer-urgent", "reader": replace(ROSE, answered=Answered(12, 12))},
            NOON,
            Refusal.LOOP_GUARD,
        ),
        (NOTE, {"clinician": Clinician(False, False, Answered(6, 6))}, NOON, Refusal.LOOP_GUARD),
        # answers and last words
        (ANSWER, {"reader": STOPPED}, NOON, Refusal.OPTED_OUT),
        (ANSWER, {"reader": replace(ROSE, phone_kind=PhoneKind.WRONG_NUMBER)}, NOON, Refusal.WRONG_NUMBER),
        (ANSWER, {"expires_at": NOON}, NOON, Refusal.TOO_LATE),
        (ANSWER, {"template": "answer-opt-out", "reader": STOPPED, "expires_at": NOON}, NOON, Refusal.TOO_LATE),
        # clinicians
        (PAGE, {"expires_at": NOON}, NOON, Refusal.TOO_LATE),
        (PAGE, {"to": None}, NOON, Drop.NO_PHONE),
        (PAGE, {"clinician": Clinician(has_left=True, has_stopped_texts=False)}, NOON, Drop.CLINICIAN_LEFT),
        # a test to one's own phone is asked for on a page, not by that phone: a STOP holds
        (
            NOTE,
            {"words": "(Test)", "clinician": Clinician(has_left=False, has_stopped_texts=True)},
            NOON,
            Drop.CLINICIAN_STOPPED,
        ),
        (PAGE, {"clinician": Clinician(has_left=False, has_stopped_texts=True)}, NOON, Drop.CLINICIAN_STOPPED),
        (PAGE, {"pager": Pager((), 0)}, NOON, Drop.ALERT_TAKEN),
        (PAGE, {"pager": LATELY, "page_limits": LIMITS}, NOON, Hold(NOON + timedelta(seconds=40), "page_pace")),
        (  # whoever may not be paged before the page ends is not, and the ladder goes on
            PAGE,
            {"pager": LATELY, "page_limits": LIMITS, "expires_at": NOON + timedelta(seconds=10)},
            NOON,
            Hold(NOON + timedelta(seconds=10), "page_pace"),
        ),
        (PAGE, {"pager": ASLEEP}, NOON, Drop.PERSON_QUIET),
        (MAIL, {"has_sender": False}, NOON, Drop.NO_MAIL),
        (MAIL, {"to": None}, NOON, Drop.NO_ADDRESS),
        (PAGE, {"has_sender": False}, NOON, Drop.NO_SENDER),
        (NOTE, {"clinician": Clinician(has_left=True, has_stopped_texts=False)}, NOON, Drop.CLINICIAN_LEFT),
    ],
)
def test_it_does_not_leave_now(draft: Draft, changed: dict[str, Any], now: datetime, expected: object) -> None:
    assert decide(replace(draft, **changed), now) == expected


@pytest.mark.parametrize(
    "template", ["answer-opt-out", "answer-help", "answer-wrong-number", "answer-condolence", "answer-urgent"]
)
@pytest.mark.parametrize(
    "reader", [STOPPED, replace(ROSE, phone_kind=PhoneKind.WRONG_NUMBER), replace(ROSE, status=PatientStatus.DECEASED)]
)
def test_a_last_word_reaches_whoever_has_just_written(template: str, reader: Reader) -> None:
    assert isinstance(decide(replace(ANSWER, template=template, reader=reader), NIGHT), Ready)


@pytest.mark.parametrize(
    "draft",
    [
        replace(ANSWER, template="answer-urgent", reader=replace(STOPPED, answered=Answered(11, 11))),  # call 911
        replace(PAGE, clinician=Clinician(False, False, Answered(99, 99))),  # a page is no answer: the ladder limits it
        replace(EXEMPT, kind=Kind.ANSWER, wording="í" * 71),  # whoever writes may be answered at length
    ],
)
def test_what_no_guard_stops(draft: Draft) -> None:
    assert isinstance(decide(draft, NOON), Ready)


@pytest.mark.parametrize("draft", [ANSWER, PAGE, NOTE])
def test_only_what_nobody_asked_for_waits_for_the_morning(draft: Draft) -> None:
    assert isinstance(decide(draft, NIGHT), Ready)


def test_a_nurse_who_stopped_pages_is_told_so() -> None:
    stopped = Clinician(has_left=False, has_stopped_texts=True)
    assert isinstance(decide(replace(NOTE, template="note-stopped", clinician=stopped), NOON), Ready)


@pytest.mark.parametrize(
    ("draft", "changed"),
    [
        (PAGE, {"pager": replace(LATELY, severity=3), "page_limits": LIMITS}),
        (PAGE, {"pager": replace(ASLEEP, severity=3)}),
        (PAGE, {"pager": replace(ASLEEP, is_on_call=True)}),
        # a STOP ends texts only
        (MAIL, {"clinician": Clinician(has_left=False, has_stopped_texts=True)}),
        (PAGE, {"channel": Channel.VOICE, "clinician": Clinician(has_left=False, has_stopped_texts=True)}),
        (MAIL, {"wording": "{{ code }} " + "x" * 1900}),  # a mail has room
    ],
)
def test_a_page_leaves(draft: Draft, changed: dict[str, Any]) -> None:
    assert isinstance(decide(replace(draft, **changed), NOON), Ready)
