"""The words of a message's story: where it stands, what is told once, when the day is repeated."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from engage.outreach.rules.draft import Drop
from engage.outreach.rules.words import Anchor, Channel, Kind, Turn
from engage.patients.rules.permission import Refusal
from engage.patients.rules.words import Category, ConsentKind, ConsentSource
from engage.reports.rules import local
from engage.reports.rules.facts import Limits, MessageFacts, PageOf, Receipted, Said, Turned, Whom
from engage.reports.rules.story import (
    consent_words,
    explain,
    headline,
    phone,
    phone_words,
    rested_on,
    standing,
    story,
    was_sent,
    what,
    who,
)
from engage.sms.rules.codes import CodeClass
from engage.sms.rules.statuses import MessageState

NINE = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)  # 9 AM in New York
ZONE = "America/New_York"
MINUTE = timedelta(minutes=1)
PLANNED = MessageFacts(
    id=7, agency="sunrise", kind=Kind.TOUCHPOINT, touchpoint="morning-checkin", anchor=Anchor.EVERY_DAY,
    occasion_on=date(2026, 11, 23), category=Category.CHECKINS, template="morning-checkin", language=None, segments=None,
    whom=Whom(None, "patient", "Rose", is_clinician=False, phone_ends="11"), zone=ZONE, sender=None, page=None,
    answers_text_of=None, planned_at=NINE - timedelta(days=1), send_at=NINE, due_at=NINE, expires_at=NINE + 180 * MINUTE,
    claimed_at=None, lease_until=None, accepted_at=None, ended_at=None, state=MessageState.PLANNED, reason=None, attempts=0,
    sid=None, error_code=None, code_says=None, turns=(), receipts=(), decided_at=NINE, consent=None, phone_word=None,
    limits=Limits(time(8), time(21), 5, 30, 0, 0),
)  # fmt: skip
SENT = replace(
    PLANNED, state=MessageState.ACCEPTED, claimed_at=NINE, accepted_at=NINE + MINUTE, attempts=1, sid="SM" + "0" * 32
)
ANA = Whom("Ana", "nurse", None, is_clinician=True, phone_ends="21")


@pytest.mark.parametrize(
    ("facts", "sent", "word", "says"),
    [
        (PLANNED, False, "waits", "Not sent yet. It is to leave Mon Nov 23, 9:00 AM EST, and is of use until 12:00 PM."),
        (replace(PLANNED, reason="quiet_hours"), False, "waits", explain("quiet_hours").says),
        (replace(SENT, state=MessageState.SENDING, accepted_at=None), None, "on its way", "at this moment"),
        (replace(SENT, state=MessageState.UNKNOWN, accepted_at=None), None, "perhaps sent", "Twilio's log is asked from"),
        (SENT, True, "sent", "No final word"),
        (replace(SENT, state=MessageState.DELIVERED, ended_at=NINE + MINUTE), True, "delivered", "Delivered Mon Nov 23, 9:01 AM"),
        # refused at once: Twilio never took it
        (
            replace(PLANNED, state=MessageState.FAILED, ended_at=NINE, reason="opted_out", error_code=21610, code_says="Said STOP."),
            False, "NOT DELIVERED", "Not sent: Twilio refused it. Said STOP.",
        ),
        (
            replace(SENT, state=MessageState.UNDELIVERED, ended_at=NINE, reason="permanent_number"),  # no code came
            True, "NOT DELIVERED", f"Sent, but not delivered. {explain('permanent_number').says}",
        ),
        (replace(PLANNED, state=MessageState.SUPPRESSED, ended_at=NINE, reason="daily_cap"), False, "not sent", explain("daily_cap").says),
        (replace(PLANNED, state=MessageState.EXPIRED, ended_at=NINE, reason="too_late"), False, "not sent", explain("too_late").says),
        (
            replace(SENT, state=MessageState.UNDELIVERED, ended_at=NINE, reason="transient", tried_again_by=8),
            True, "NOT DELIVERED", "Message 8 tries it again.",
        ),
        # a text that Twilio had and gave back
        (replace(SENT, state=MessageState.CANCELLED, ended_at=NINE, reason="unlisted"), False, "not sent", "Not sent."),
    ],
)  # fmt: skip
def test_where_it_stands(facts: MessageFacts, sent: bool | None, word: str, says: str) -> None:
    assert (was_sent(facts), standing(facts)) == (sent, word)
    assert says in headline(facts)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, 'the check-in "morning-checkin" for Mon Nov 23, 2026'),
        ({"anchor": Anchor.VISIT_DAY, "category": Category.VISITS, "touchpoint": "day-of"}, 'the reminder "day-of" for the visits of Mon'),
        ({"anchor": Anchor.VISIT_COMPLETED, "category": Category.SURVEYS, "touchpoint": "survey"}, 'the survey "survey" for the visit of'),
        ({"occasion_on": None}, 'the check-in "morning-checkin"'),
        ({"channel": Channel.VOICE, "occasion_on": None}, 'the check-in "morning-checkin", spoken in a call'),
        ({"retry_of": 6, "occasion_on": None}, 'the check-in "morning-checkin", tried again after message 6 failed'),
        ({"kind": Kind.ANSWER, "template": "answer-help", "answers_text_of": NINE}, 'an answer ("answer-help") to the text that came Mon'),
        ({"kind": Kind.OPT_OUT_CONFIRMATION}, "the confirmation of an opt-out"),
        ({"kind": Kind.PAGE, "page": PageOf("4821", 2, 3)}, "a page about alert 4821, round 2, step 3 of the ladder"),
        ({"kind": Kind.PAGE}, "a page about an alert"),
        ({"kind": Kind.NOTE, "template": "note-taken", "page": PageOf("4821", None, None)}, 'a note ("note-taken") about alert 4821'),
    ],
)  # fmt: skip
def test_what_it_was(changes: dict[str, object], words: str) -> None:
    assert what(replace(PLANNED, **changes)).startswith(words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("whom", "words"),
    [
        (PLANNED.whom, "Rose, the patient"),
        (Whom("Joan", "family", "Rose", is_clinician=False, phone_ends="14"), "Joan, family of Rose"),
        (Whom(None, "family", "Rose", is_clinician=False, phone_ends="14"), "family of Rose"),
        (Whom(None, "emergency", "Rose", is_clinician=False, phone_ends="14"), "emergency contact of Rose"),
        (ANA, "Ana, nurse"),
    ],
)
def test_who_it_was_for(whom: Whom, words: str) -> None:
    assert who(whom) == words


def test_a_phone_is_told_by_two_digits_or_not_at_all() -> None:
    assert phone(PLANNED.whom) == "phone ending in 11"
    assert phone(replace(PLANNED.whom, phone_ends=None)) == "phone not readable"


def test_turns_are_told_in_order_and_the_same_one_again_only_once() -> None:
    busy = [Turned(NINE + n * MINUTE, Turn.HANDED_BACK, "provider_busy", NINE + (n + 1) * MINUTE) for n in range(4)]
    held = Turned(NINE - MINUTE, Turn.HELD, "quiet_hours", NINE)
    told = story(replace(PLANNED, turns=(*busy, held)))
    assert [moment.event for moment in told] == ["planned", "held", "handed_back"]
    assert "4 times, the last one Mon Nov 23, 9:03 AM" in told[-1].says
    assert told[-1].until == NINE + 4 * MINUTE


@pytest.mark.parametrize("turn", list(Turn))
def test_every_turn_is_a_sentence(turn: Turn) -> None:
    for reason in (None, "quiet_hours", "HTTP 503"):
        for until in (None, NINE):
            said = story(replace(PLANNED, turns=(Turned(NINE, turn, reason, until),)))[-1].says
            assert said[0].isupper()
            assert said.endswith(".")


def test_the_receipt_that_ended_it_is_told_once() -> None:
    ended = NINE + 2 * MINUTE
    receipts = (Receipted(NINE + MINUTE, "sent", None, None), Receipted(ended, "delivered", None, None))
    told = story(replace(SENT, state=MessageState.DELIVERED, ended_at=ended, receipts=receipts))
    assert [moment.event for moment in told] == ["planned", "claimed", "accepted", "receipt", "ended"]


def test_a_receipt_with_a_code_and_one_nobody_has_heard_of_are_told() -> None:
    receipts = (Receipted(NINE, "pondering", None, None), Receipted(NINE, "failed", 30003, "The phone was off."))
    says = [moment.says for moment in story(replace(SENT, receipts=receipts)) if moment.event == "receipt"]
    assert says == ["Twilio reports: pondering.", "Twilio reports that it failed. Code 30003: The phone was off."]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, "No consent for check-ins had been recorded."),
        (Said(ConsentKind.GRANTED, ConsentSource.EMR, NINE, NINE, True), "Given for check-ins in the EMR's file on Mon Nov 23, 2026; its proof is stored."),
        (Said(ConsentKind.GRANTED, ConsentSource.PAPER, NINE, NINE + MINUTE, False), "recorded Mon Nov 23, 9:01 AM EST; no proof is stored."),
        (Said(ConsentKind.REVOKED, ConsentSource.PHONE, NINE, NINE, False), "TAKEN BACK for check-ins on the phone"),
    ],
)  # fmt: skip
def test_the_consent_in_words(said: Said | None, words: str) -> None:
    assert words in consent_words(said, Category.CHECKINS, ZONE)


def test_the_word_of_the_phone_itself() -> None:
    assert phone_words(None, ZONE) == "It had not said STOP."
    assert "STOP, by text, Mon Nov 23" in phone_words(
        Said(ConsentKind.OPTED_OUT, ConsentSource.TEXT, NINE, NINE, False), ZONE
    )
    assert "START" in phone_words(Said(ConsentKind.OPTED_IN, ConsentSource.TEXT, NINE, NINE, False), ZONE)


@pytest.mark.parametrize(
    "reason", [*Refusal, *Drop, *CodeClass, "quiet_hours", "HTTP 503", "no whole answer came back (x)"]
)
def test_every_reason_has_a_sentence_and_a_rule(reason: str) -> None:
    explained = explain(str(reason))
    assert explained.says.endswith(".")
    assert explained.rule


def test_a_reason_that_nobody_has_described_is_told_as_it_stands() -> None:
    assert "moon" in explain("moon_phase").says


@pytest.mark.parametrize(
    ("at", "other", "words"),
    [
        (NINE, NINE + MINUTE, "9:00 AM"),
        (NINE, NINE + timedelta(hours=20), "Mon Nov 23, 9:00 AM EST"),  # another day there
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "Sun Nov 1, 1:30 AM EST"),  # the hour that comes twice
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 5, 0, tzinfo=UTC), "1:30 AM"),
    ],
)  # fmt: skip
def test_the_day_is_told_where_it_is_not_known(at: datetime, other: datetime, words: str) -> None:
    assert local.near(at, other, ZONE) == words


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (PLANNED.limits, "8:00 AM to 9:00 PM in America/New_York."),
        (replace(PLANNED.limits, own_after=time(10), own_until=time(18)), "the patient's own are 10:00 AM to 6:00 PM."),
    ],
)
def test_the_hours_it_rested_on(limits: Limits, words: str) -> None:
    assert dict(rested_on(replace(PLANNED, limits=limits)))["Hours"].endswith(words)
