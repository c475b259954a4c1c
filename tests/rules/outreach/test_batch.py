"""Messages that are decided together know of each other: caps, loops and shared phones count what has no row yet."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import replace

import pytest

from engage.outreach.rules.batch import counting, marks
from engage.outreach.rules.draft import Draft, Occasion, Phone, Ready, decide
from engage.outreach.rules.words import Kind
from engage.patients.rules.loops import Answered
from engage.patients.rules.permission import Refusal
from engage.patients.rules.words import Category
from tests.rules.outreach.test_draft import ANSWER, NOON, NOTE, PAGE, TEXT
from tests.rules.rose import ROSE

HERE, ELSEWHERE, STRANGER_S = Phone(1, b"here"), Phone(1, b"elsewhere"), Phone(2, b"here")
MORNING = Occasion(7, "2026-11-23")
CHECKIN = replace(TEXT, phone=HERE, occasion=MORNING)
REPLY = replace(ANSWER, phone=HERE)


def verdicts(*drafts: Draft) -> list[object]:
    """What becomes of drafts decided in one batch, "sent" or the reason."""
    tally: Counter[Hashable] = Counter()
    found: list[object] = []
    for draft in drafts:
        verdict = decide(counting(draft, tally), NOON)
        found.append("sent" if isinstance(verdict, Ready) else verdict)
        if isinstance(verdict, Ready):
            tally.update(marks(draft))
    return found


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (CHECKIN, Refusal.SHARED_PHONE),  # the same check-in, for the other patient on this phone
        (replace(CHECKIN, occasion=Occasion(7, "2026-11-24")), "sent"),  # tomorrow's
        (replace(CHECKIN, occasion=Occasion(8, "2026-11-23")), "sent"),  # another touchpoint
        (replace(CHECKIN, occasion=None), "sent"),  # a survey is about one patient's visit
        (replace(CHECKIN, phone=ELSEWHERE), "sent"),
        (replace(CHECKIN, phone=STRANGER_S), "sent"),  # another agency knows nothing of ours
        (REPLY, "sent"),
        (replace(PAGE, phone=HERE), "sent"),
    ],
)
def test_a_shared_phone(second: Draft, expected: object) -> None:
    assert verdicts(CHECKIN, second) == ["sent", expected]


def test_a_text_that_does_not_leave_tells_nobody() -> None:
    ended = replace(CHECKIN, reader=replace(ROSE, has_ended=True))
    assert verdicts(ended, CHECKIN, CHECKIN) == [Refusal.CONTACT_ENDED, "sent", Refusal.SHARED_PHONE]


def test_caps_count_the_phone() -> None:
    one_left = replace(CHECKIN, reader=replace(ROSE, sent_today=4), occasion=None)
    assert verdicts(one_left, one_left, replace(one_left, phone=ELSEWHERE)) == ["sent", Refusal.DAILY_CAP, "sent"]


def test_the_week_counts_too() -> None:
    one_left = replace(CHECKIN, reader=replace(ROSE, sent_this_week=29), occasion=None)
    assert verdicts(one_left, one_left) == ["sent", Refusal.WEEKLY_CAP]


def test_the_exemption_allows_one_of_a_batch() -> None:
    exempt = replace(CHECKIN, reader=replace(ROSE, has_exemption_only=True, category=Category.VISITS), occasion=None)
    assert verdicts(exempt, exempt) == ["sent", Refusal.EXEMPTION_CAP]


def test_answers_of_one_batch_are_a_loop_as_well() -> None:
    assert verdicts(*[REPLY] * 7) == ["sent"] * 6 + [Refusal.LOOP_GUARD]
    assert verdicts(*[replace(NOTE, phone=HERE)] * 7) == ["sent"] * 6 + [Refusal.LOOP_GUARD]
    confirmation = replace(REPLY, kind=Kind.OPT_OUT_CONFIRMATION, template="answer-opt-out")
    assert verdicts(*[REPLY] * 6, confirmation) == ["sent"] * 6 + [Refusal.LOOP_GUARD]


def test_an_urgent_answer_passes_after_the_others_are_stopped() -> None:
    urgent = replace(REPLY, template="answer-urgent")
    assert verdicts(*[REPLY] * 7, urgent)[-2:] == [Refusal.LOOP_GUARD, "sent"]
    assert verdicts(*[urgent] * 13) == ["sent"] * 12 + [Refusal.LOOP_GUARD]


def test_answers_do_not_count_for_caps_nor_touchpoints_for_loops() -> None:
    one_left = replace(CHECKIN, reader=replace(ROSE, sent_today=4), occasion=None)
    assert verdicts(*[REPLY] * 5, one_left) == ["sent"] * 6
    nearly = replace(REPLY, reader=replace(ROSE, answered=Answered(5, 5)))
    assert verdicts(CHECKIN, nearly) == ["sent", "sent"]


def test_what_the_rows_say_is_kept() -> None:
    told = replace(CHECKIN, reader=replace(ROSE, is_told=True))
    assert counting(told, Counter()) is told
    assert verdicts(told) == [Refusal.SHARED_PHONE]


@pytest.mark.parametrize("draft", [replace(CHECKIN, phone=None), replace(CHECKIN, phone=None, reader=None)])
def test_a_draft_without_a_phone_is_left_alone(draft: Draft) -> None:
    assert marks(draft) == ()
    assert counting(draft, Counter({"anything": 1})) is draft
