"""Which text a person may have sent again: never one that may have left, nor one whose time is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engage.outreach.rules.again import Never, Past, may_send_again, useful_until
from engage.outreach.rules.words import Channel, Kind
from engage.sms.rules.statuses import DISPROVABLE, MessageState

NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)
FAILED = Past(
    Kind.TOUCHPOINT, Channel.SMS, MessageState.FAILED, "retry_later", 1, NOW + timedelta(hours=2), is_tried_again=False
)
S = MessageState


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, None),
        ({"reason": "config_alarm"}, None),  # the operator has registered the number since
        ({"reason": "unlisted"}, None),  # Twilio refused it, and a person has looked
        ({"state": S.UNDELIVERED}, None),  # as the machine's own second try
        (
            {"state": S.UNDELIVERED, "reason": "unlisted"},
            Never.MAY_HAVE_LEFT,
        ),  # it left, and nobody knows why it failed
        ({"reason": "unknown_outcome"}, Never.MAY_HAVE_LEFT),
        ({"reason": "permanent_number"}, Never.PHONE),
        ({"reason": "permanent_message"}, Never.WORDS),
        ({"reason": "opted_out"}, Never.NOT_ALLOWED),
        ({"reason": None}, Never.MAY_HAVE_LEFT),
        ({"is_tried_again": True}, Never.TRIED_AGAIN),
        ({"expires_at": NOW}, Never.TOO_LATE),
        ({"kind": Kind.PAGE}, Never.OF_A_KIND),
        ({"kind": Kind.NOTE}, Never.OF_A_KIND),
        ({"kind": Kind.OPT_OUT_CONFIRMATION}, Never.OF_A_KIND),
        ({"channel": Channel.VOICE}, Never.OF_A_KIND),
        ({"state": S.DELIVERED, "reason": None}, Never.ARRIVED),
        ({"state": S.ACCEPTED, "reason": None}, Never.ARRIVED),
        ({"state": S.PLANNED}, Never.WAITS),
        ({"state": S.SENDING}, Never.MAY_HAVE_LEFT),
        ({"state": S.UNKNOWN}, Never.MAY_HAVE_LEFT),
        ({"state": S.CANCELLED, "reason": "visit_changed", "attempts": 0}, Never.CHANGED),
        ({"state": S.CANCELLED, "reason": "never_sent"}, Never.MAY_HAVE_LEFT),
        ({"state": S.EXPIRED, "reason": "too_late"}, Never.MAY_HAVE_LEFT),  # tried once: a receipt may still come
        (
            {"state": S.EXPIRED, "reason": "too_late", "attempts": 0},
            None,
        ),  # it would have been too late for the hours, not for its use
        ({"state": S.EXPIRED, "reason": "too_late", "attempts": 0, "expires_at": NOW}, Never.TOO_LATE),
        (
            {"state": S.EXPIRED, "attempts": 0, "expires_at": NOW, "kind": Kind.HAND},
            None,
        ),  # the person says that it has a use
        ({"state": S.SUPPRESSED, "reason": "no_consent", "attempts": 0}, None),  # it may have come since: asked anew
        ({"state": S.SUPPRESSED, "reason": "hospitalized", "attempts": 0}, None),
        ({"state": S.SUPPRESSED, "reason": "deceased", "attempts": 0}, Never.NOT_ALLOWED),
        ({"state": S.SUPPRESSED, "reason": "opted_out", "attempts": 0}, Never.NOT_ALLOWED),
    ],
)
def test_what_may_be_sent_again(change: dict[str, object], told: Never | None) -> None:
    assert may_send_again(replace(FAILED, **change), NOW) is told  # type: ignore[arg-type]


def test_a_persons_words_have_twelve_hours_and_others_no_more_than_they_had() -> None:
    assert useful_until(replace(FAILED, kind=Kind.HAND), NOW) == NOW + timedelta(hours=12)
    assert useful_until(FAILED, NOW) == FAILED.expires_at


@given(
    some.builds(
        Past,
        some.sampled_from(Kind),
        some.sampled_from(Channel),
        some.sampled_from(MessageState),
        some.sampled_from([None, "retry_later", "too_late", "never_sent", "unknown_outcome", "no_consent"]),
        some.integers(0, 3),
        some.sampled_from([NOW - timedelta(hours=1), NOW + timedelta(hours=1)]),
        some.booleans(),
    )
)
def test_nothing_that_may_have_left_and_nothing_stale(past: Past) -> None:
    if may_send_again(past, NOW) is not None:
        return
    assert past.state in {S.FAILED, S.UNDELIVERED, S.EXPIRED, S.SUPPRESSED}
    assert not past.is_tried_again
    assert past.attempts == 0 or (past.state, past.reason or "") not in DISPROVABLE
    assert useful_until(past, NOW) > NOW
