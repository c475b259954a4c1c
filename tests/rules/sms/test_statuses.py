"""The life of a message: never backwards, nothing leaves an end, whatever order receipts come in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.sms.rules.statuses import LEGAL_MOVES, TERMINAL, MessageState, may_move, state_of, states_before

S = MessageState


def test_every_state_has_a_row_and_the_ends_are_the_rows_without_moves() -> None:
    assert set(LEGAL_MOVES) == set(S)
    assert {state for state, after in LEGAL_MOVES.items() if not after} == TERMINAL


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (S.PLANNED, S.SENDING),
        (S.PLANNED, S.EXPIRED),
        (S.PLANNED, S.SUPPRESSED),
        (S.SENDING, S.PLANNED),  # released: 429, connection refused
        (S.SENDING, S.SUPPRESSED),  # STOP came between the plan and the sending
        (S.SENDING, S.DELIVERED),  # the receipt overtook the answer to our POST
        (S.SENDING, S.UNKNOWN),
        (S.ACCEPTED, S.UNDELIVERED),  # "sent" got lost
        (S.SENT, S.DELIVERED),
        (S.UNKNOWN, S.ACCEPTED),
        (S.UNKNOWN, S.PLANNED),  # Twilio never had it
    ],
)
def test_moves(before: MessageState, after: MessageState) -> None:
    assert may_move(before, after)
    assert before in states_before(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (S.PLANNED, S.ACCEPTED),  # nothing is sent without a claim
        (S.PLANNED, S.PLANNED),  # staying is no move
        (S.ACCEPTED, S.PLANNED),
        (S.ACCEPTED, S.SENDING),
        (S.ACCEPTED, S.EXPIRED),  # Twilio has it: only Twilio can end it
        (S.ACCEPTED, S.UNKNOWN),
        (S.SENT, S.ACCEPTED),
        (S.DELIVERED, S.SENT),
        (S.DELIVERED, S.UNDELIVERED),
        (S.UNDELIVERED, S.DELIVERED),
        (S.FAILED, S.PLANNED),  # a retry is a new message
        (S.UNKNOWN, S.SENDING),  # reconciled first
        (S.UNKNOWN, S.EXPIRED),  # it may have been sent: expired would be a lie
        (S.EXPIRED, S.SENDING),
        (S.SUPPRESSED, S.PLANNED),
    ],
)
def test_does_not_move(before: MessageState, after: MessageState) -> None:
    assert not may_move(before, after)


RECEIPTS = ["queued", "sending", "sent", "delivered", "undelivered", "failed", "read"]


@given(st.lists(st.sampled_from(RECEIPTS), max_size=12))
def test_receipts_in_any_order_only_go_forward(receipts: list[str]) -> None:
    rank = {S.SENDING: 0, S.ACCEPTED: 1, S.SENT: 2, S.DELIVERED: 3, S.UNDELIVERED: 3, S.FAILED: 3}
    lived = [S.SENDING]
    for receipt in receipts:
        heard = state_of(receipt)
        assert heard is not None
        if may_move(lived[-1], heard):
            lived.append(heard)
    assert all(rank[before] < rank[after] for before, after in pairwise(lived))
    if ends := [state for state in map(state_of, receipts) if state in TERMINAL]:
        assert lived[-1] is ends[0]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("accepted", S.ACCEPTED),
        ("scheduled", S.ACCEPTED),
        ("queued", S.ACCEPTED),
        ("sending", S.ACCEPTED),
        ("sent", S.SENT),
        ("delivered", S.DELIVERED),
        ("Delivered ", S.DELIVERED),
        ("read", S.DELIVERED),
        ("undelivered", S.UNDELIVERED),
        ("partially_delivered", S.UNDELIVERED),
        ("failed", S.FAILED),
        ("canceled", S.CANCELLED),
        ("receiving", None),
        ("received", None),
        ("teleported", None),
        ("", None),
    ],
)
def test_twilios_words(theirs: str, ours: MessageState | None) -> None:
    assert state_of(theirs) is ours
