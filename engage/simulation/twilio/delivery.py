"""Runs what is due: takes events off the timeline, posts the webhooks they ask for, hands the answers back.

In: an instant. Out: how many events ran. One thread at a time; never runs ahead of the instant it was given.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from threading import RLock, get_ident

from engage.simulation.twilio.account import Account, WebhookFailure
from engage.simulation.twilio.door import Door
from engage.simulation.twilio.timeline import Event
from engage.simulation.twilio.webhooks import Reply, Webhook


class Delivery:
    """Runs the timeline of one account; `at_once` webhooks of different messages may be under way together."""

    def __init__(self, account: Account, door: Door, at_once: int) -> None:
        self._account = account
        self._door = door
        self._at_once = at_once
        self._turn = RLock()
        self._runner: int | None = None

    def run(self, until: datetime) -> int:
        """Run every event due by `until`, those they cause included; 0 when called from within one of them."""
        if self._runner == get_ident():
            return 0  # the call that is under way will come to them
        with self._turn:
            self._runner = get_ident()
            try:
                ran = 0
                while batch := self._batch(until):
                    ran += batch
                return ran
            finally:
                self._runner = None

    def _batch(self, until: datetime) -> int:
        """Run the next events, as many as may post together, in time order; how many."""
        subjects: set[str] = set()
        asked: list[tuple[Event, list[Webhook]]] = []
        ran = 0
        while len(asked) < self._at_once and (event := self._account.timeline.take(until, subjects)):
            ran += 1
            try:
                webhooks = list(self._account.run(event).webhooks)
            except BaseException:
                self._post(asked)  # somebody's phone raised: what was already under way is finished first
                raise
            if webhooks:
                subjects.add(event.subject)
                asked.append((event, webhooks))
        self._post(asked)
        return ran

    def _post(self, asked: list[tuple[Event, list[Webhook]]]) -> None:
        if not asked:
            return
        replies = self._door.post_all([webhooks for _, webhooks in asked])
        for (event, webhooks), answers in zip(asked, replies, strict=True):
            for webhook, reply in zip(webhooks, answers, strict=True):
                self._answered(webhook, reply, event.due_at)

    def _answered(self, webhook: Webhook, reply: Reply, at: datetime) -> None:
        final = reply
        if not reply.is_ok:
            self._failed(webhook, reply, at)
            final = self._fall_back(webhook, reply, at)
        if webhook.on_answer is not None:
            self._account.at(at, _bound(webhook, final, at))

    def _fall_back(self, webhook: Webhook, reply: Reply, at: datetime) -> Reply:
        if webhook.fallback_url is None:
            return reply
        told = {"ErrorCode": "11200" if reply.status else "11205", "ErrorUrl": webhook.url}
        again = replace(webhook, url=webhook.fallback_url, fallback_url=None, params={**webhook.params, **told})
        [[second]] = self._door.post_all([[again]])
        if not second.is_ok:
            self._failed(again, second, at)
        return second

    def _failed(self, webhook: Webhook, reply: Reply, at: datetime) -> None:
        failure = WebhookFailure(webhook.kind, webhook.sid, webhook.url, reply.status, reply.error, at, reply.attempts)
        self._account.webhook_failures.append(failure)


def _bound(webhook: Webhook, reply: Reply, at: datetime) -> Callable[[], None]:
    def work() -> None:
        if webhook.on_answer is not None:
            webhook.on_answer(reply, at)

    return work
