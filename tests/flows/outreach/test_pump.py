"""Which of the claimed texts begins to leave, and when: the pump alone, with a gateway that answers when it is told to."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from engage import clock
from engage.db import encryption
from engage.outreach.claim import Attempt
from engage.outreach.gather import Claimed
from engage.outreach.pump import Pump, Room, Way
from engage.outreach.rules.draft import Draft, Ready
from engage.outreach.rules.words import Kind, Priority
from engage.sms.texts import (
    Accepted,
    HeldBack,
    OutboundCall,
    OutboundText,
    Outcome,
    Refused,
    Sender,
    TryLater,
    Uncertain,
)
from tests.cast import NOON, ROSE_PHONE, SUNRISE_NUMBER
from tests.conftest import RING

PATIENCE, AT_LATEST = timedelta(seconds=5), timedelta(seconds=30)
TAKEN = Accepted("SM" + "0" * 32, "queued", 1)


@dataclass
class Provider:
    """Remembers what has begun to leave, by its body, and answers on demand. Only what the pump uses of a Gateway."""

    on_way: dict[str, tuple[Callable[[Outcome], None], Callable[[], bool]]] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)

    def begin(
        self, outgoing: OutboundText | OutboundCall, done: Callable[[Outcome], None], may_leave: Callable[[], bool]
    ) -> None:
        assert isinstance(outgoing, OutboundText)
        self.begun.append(outgoing.body)
        self.on_way[outgoing.body] = done, may_leave

    def answers(self, *bodies: str, outcome: Outcome = TAKEN) -> None:
        for body in bodies:
            done, _ = self.on_way.pop(body)
            done(outcome)


@pytest.fixture
def time() -> Iterator[FrozenDateTimeFactory]:
    with freeze_time(NOON) as frozen:
        assert isinstance(frozen, FrozenDateTimeFactory)
        yield frozen


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def pump(provider: Provider, time: FrozenDateTimeFactory) -> Pump:
    encryption.use(RING)
    return Pump(provider, Way("https://engage.example.org", 10, PATIENCE, AT_LATEST), lambda: False)  # type: ignore[arg-type]


def texts(*bodies: str, priority: Priority = Priority.CHECK_IN) -> list[Attempt]:
    return [_text(body, priority) for body in bodies]


def _text(body: str, priority: Priority) -> Attempt:
    draft = Draft(
        kind=Kind.TOUCHPOINT,
        template="checkin",
        wording=body,
        language="en",
        reader=None,
        clinician=None,
        to=ROSE_PHONE,
        has_sender=True,
        agency="Sunrise",
        office_phone="+12025550100",
        patient="Rose",
        zone="America/New_York",
        params={},
        occasion_on=None,
        visits=(),
        visited_on=None,
        expires_at=NOON + timedelta(hours=2),
    )
    claimed = Claimed(hash(body) % 10_000, 1, priority, 1, draft, 1, Sender(SUNRISE_NUMBER))
    return Attempt(claimed, uuid.uuid4(), Ready(body, 1))


def bodies(came: Sequence[tuple[Attempt, Outcome]]) -> dict[str, Outcome]:
    return {attempt.ready.body: outcome for attempt, outcome in came}


def test_the_next_leaves_when_one_comes_back_and_not_before(pump: Pump, provider: Provider) -> None:
    pump.allow(Room(2, 2), 0)
    pump.take_up(texts("a", "b", "c", "d"), clock.now())
    assert (provider.begun, pump.waiting, pump.held) == (["a", "b"], 2, 4)
    provider.answers("b")
    assert provider.begun == ["a", "b", "c"]  # nobody has recorded anything yet
    assert bodies(pump.finished(0)) == {"b": TAKEN}
    assert pump.held == 3


def test_what_somebody_waits_for_leaves_first_and_has_room_of_its_own(pump: Pump, provider: Provider) -> None:
    pump.allow(Room(3, 2), 0)
    pump.take_up(texts("a", "b", "c", "d"), clock.now())
    pump.take_up(texts("page", "answer", priority=Priority.PAGE), clock.now())
    assert provider.begun == ["a", "b", "page"]  # the third place was kept
    provider.answers("a")
    assert provider.begun[-1] == "answer"
    provider.answers("page")
    assert provider.begun[-1] == "c"


def test_while_a_reply_is_read_nothing_unasked_begins(pump: Pump, provider: Provider) -> None:
    pump.allow(Room(4, 0), 0)
    pump.take_up(texts("a"), clock.now())
    pump.take_up(texts("page", priority=Priority.PAGE), clock.now())
    assert provider.begun == ["page"]
    pump.allow(Room(4, 3), 0)
    assert provider.begun == ["page", "a"]


@pytest.mark.parametrize("trouble", [TryLater(20429, 1.0), Uncertain("no whole answer came back"), HeldBack()])
def test_after_anything_but_an_answer_none_leaves_until_the_dispatcher_has_looked(
    pump: Pump, provider: Provider, trouble: Outcome
) -> None:
    pump.allow(Room(1, 1), 0)
    pump.take_up(texts("a", "b"), clock.now())
    provider.answers("a", outcome=trouble)
    assert provider.begun == ["a"]
    assert bodies(pump.finished(0)) == {"a": trouble}
    pump.allow(Room(1, 1), 0)
    assert provider.begun == ["a", "b"]


def test_a_refusal_of_one_text_stops_no_other(pump: Pump, provider: Provider) -> None:
    pump.allow(Room(1, 1), 0)
    pump.take_up(texts("a", "b"), clock.now())
    provider.answers("a", outcome=Refused(400, 21211, "not a number"))
    assert provider.begun == ["a", "b"]


def test_a_decision_ages(pump: Pump, provider: Provider, time: FrozenDateTimeFactory) -> None:
    """Evening comes, a patient writes STOP: what has waited too long for its turn is handed back and decided anew."""
    pump.allow(Room(1, 1), 0)
    pump.take_up(texts("a", "b"), clock.now())
    time.tick(PATIENCE)
    provider.answers("a")
    assert provider.begun == ["a"]
    assert bodies(pump.finished(0)) == {"a": TAKEN, "b": HeldBack()}
    assert pump.held == 0


def test_a_slow_claim_still_sends(pump: Pump, provider: Provider, time: FrozenDateTimeFactory) -> None:
    """Else a database that needs six seconds for a batch would hand back each of them, for ever."""
    claimed_at = clock.now()
    time.tick(PATIENCE * 2)
    pump.allow(Room(1, 1), 0)
    pump.take_up(texts("a"), claimed_at)
    assert provider.begun == ["a"]


def test_what_has_begun_is_asked_once_more_at_the_last_moment(
    pump: Pump, provider: Provider, time: FrozenDateTimeFactory
) -> None:
    pump.allow(Room(1, 1), 0)
    pump.take_up(texts("a"), clock.now())
    _, may_leave = provider.on_way["a"]
    time.tick(PATIENCE)
    assert may_leave()  # its turn had come; only the way to Twilio is slow
    time.tick(AT_LATEST)  # the machine slept between the claim and the connection
    assert not may_leave()


def test_giving_up_hands_back_what_has_not_left_and_says_what_nobody_knows(pump: Pump, provider: Provider) -> None:
    pump.allow(Room(2, 2), 0)
    pump.take_up(texts("a", "b", "c"), clock.now())
    provider.answers("a")  # so that c is on its way
    pump.take_up(texts("d"), clock.now())
    came, lost = pump.give_up(0)
    assert bodies(came) == {"a": TAKEN, "d": HeldBack()}
    assert sorted(attempt.ready.body for attempt in lost) == ["b", "c"]
    assert pump.held == 0


def test_what_was_given_up_and_then_comes_back_is_nobodys(pump: Pump, provider: Provider) -> None:
    """It is recorded as unknown by then, and reconciled; a process that ends asks twice."""
    pump.allow(Room(1, 1), 0)
    pump.take_up(texts("a"), clock.now())
    _, lost = pump.give_up(0)
    provider.answers("a")
    assert [attempt.ready.body for attempt in lost] == ["a"]
    assert pump.give_up(0) == ([], [])
