"""A text that was given up as never sent, and had left after all, is what Twilio says of it; whatever order the news comes in."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engage import clock
from engage.db import encryption
from engage.outreach.links import Link
from engage.outreach.receipts import take_receipt
from engage.outreach.record import record
from engage.sms.rules.statuses import DISPROVABLE, TERMINAL
from engage.sms.texts import Accepted
from tests.cast import MONDAY
from tests.flows.outreach.desk import Desk

ENDS = [("delivered", None, None), ("undelivered", 30008, "retry_later"), ("failed", 30007, "permanent_message")]
NEWS = ("queued", "sending", "sent", "end", "answer")
OURS = ("lapse", "settle", "expire")


class Sent:
    """A text whose sender is on its way with it, and everything that may be heard or done about it."""

    def __init__(self, desk: Desk, end: tuple[str, int | None, str | None]) -> None:
        self.desk, self.end = desk, end
        self.id = desk.reminder(occasion=f"{MONDAY + timedelta(days=desk.occasions)}")
        self.sid, self.attempt = f"SM{self.id:032x}", uuid.uuid4()
        desk.sql(
            "UPDATE messages SET state = 'sending', attempts = 1, attempt_id = :attempt, claimed_at = :now, lease_until = :now,"
            " body = :body WHERE id = :id",
            id=self.id, attempt=self.attempt, now=clock.now(), body=encryption.ring().seal("Hello", "messages.body"),
        )  # fmt: skip

    def happens(self, what: str) -> None:
        """One thing of NEWS or OURS; those of ours do nothing when the message is not theirs."""
        desk, now = self.desk, clock.now()
        if what == "answer":
            record(desk.cast.db, desk.codes, [(self.id, self.attempt, Accepted(self.sid, "queued", 1))], now)
        elif what == "lapse":
            desk.time.tick(timedelta(seconds=1))
            desk.reconcile()
        elif what == "settle":  # Twilio's log does not have it
            desk.sql("UPDATE messages SET due_at = :now WHERE id = :id AND state = 'unknown'", now=now, id=self.id)
            desk.reconcile()
        elif what == "expire":
            desk.time.tick(timedelta(seconds=1))
            desk.sql("UPDATE messages SET expires_at = :now WHERE id = :id", now=clock.now(), id=self.id)
            desk.dispatch()
        else:
            status, code = self.end[:2] if what == "end" else (what, None)
            link = Link(desk.cast.id, self.id, self.attempt)
            assert take_receipt(desk.cast.db, desk.codes, link, self.sid, str(status), code, now)


def given_up(desk: Desk, how: Sequence[str]) -> Sent:
    sent = Sent(desk, ENDS[0])
    for what in how:
        sent.happens(what)
    return sent


@pytest.mark.parametrize(
    ("how", "state", "reason"),
    [
        (("lapse", "settle", "expire"), "expired", "too_late"),
        (("lapse", "expire", "settle"), "cancelled", "never_sent"),
    ],
)
@pytest.mark.parametrize(
    ("news", "becomes"), [("queued", "accepted"), ("sent", "sent"), ("end", "delivered"), ("answer", "accepted")]
)
def test_what_was_given_up_and_left_is_told_as_it_is(
    desk: Desk, how: Sequence[str], state: str, reason: str, news: str, becomes: str
) -> None:
    sent = given_up(desk, how)
    row = desk.row(sent.id)
    assert (row.state, row.reason) == (state, reason)
    sent.happens(news)
    row = desk.row(sent.id)
    assert (row.state, row.reason, row.sid, row.ended_at is not None) == (
        becomes,
        None,
        sent.sid,
        becomes == "delivered",
    )


@pytest.mark.parametrize(
    ("state", "reason", "attempts"),
    [
        ("expired", "too_late", 0),  # it was never tried, so nothing can have left
        ("suppressed", "opted_out", 1),
        ("cancelled", "visit_changed", 1),
    ],
)
def test_no_other_end_is_left(desk: Desk, state: str, reason: str, attempts: int) -> None:
    sent = Sent(desk, ENDS[0])
    desk.sql(
        "UPDATE messages SET state = :state, reason = :reason, attempts = :attempts, lease_until = NULL, ended_at = :now WHERE id = :id",
        state=state, reason=reason, attempts=attempts, now=clock.now(), id=sent.id,
    )  # fmt: skip
    sent.happens("end")
    assert desk.state(sent.id) == state
    assert {end for end, _ in DISPROVABLE} < TERMINAL


def test_a_reminder_that_was_planned_anew_meanwhile_keeps_its_occasion(desk: Desk) -> None:
    """The visit moved to the afternoon after the first text was given up: the new row has the occasion, no error follows."""
    sent = given_up(desk, ("lapse", "expire", "settle"))
    desk.reminder(occasion=desk.row(sent.id).occasion, expires_at=clock.now() + timedelta(hours=1))
    sent.happens("end")
    sent.happens("answer")
    assert desk.state(sent.id) == "cancelled"


@given(data=st.data(), end=st.sampled_from(ENDS))
@example(data=None, end=ENDS[0]).via("the worst order that was found by hand")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_order_of_news_and_of_our_own_doubts_ends_the_same(
    desk: Desk, data: st.DataObject | None, end: tuple[str, int | None, str | None]
) -> None:
    if data is None:
        order = ["lapse", "settle", "expire", "sent", "lapse", "end", "queued", "answer", "expire", "sending", "end"]
    else:
        doubled = data.draw(st.lists(st.sampled_from(NEWS), max_size=3))
        doubts = data.draw(st.lists(st.sampled_from(OURS), max_size=5))
        order = data.draw(st.permutations([*NEWS, *doubled, *doubts]))
    sent = Sent(desk, end)
    for what in order:
        sent.happens(what)
    row = desk.row(sent.id)
    assert (row.state, row.error_code, row.reason, row.sid) == (*end, sent.sid), order
    assert (row.lease_until, row.ended_at is not None) == (None, True)
    assert desk.count("SELECT count(*) FROM messages WHERE retry_of = :id", id=sent.id) <= (end[2] == "retry_later")
    words = {"queued", "sending", "sent", end[0]}
    assert set(desk.sql("SELECT status FROM receipts WHERE message_id = :id", id=sent.id)) == {
        (word,) for word in words
    }
