"""The fake Twilio: its controls for tests, demonstrations and benchmarks. Engage itself talks to it over HTTP only.

In: numbers, phones, misbehaviour, the time. Out: signed webhooks at Engage's door, and everything it saw. Never patches Engage.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from threading import Event as Signal
from threading import Thread
from types import TracebackType
from typing import Self

from engage import clock
from engage.simulation.twilio import inbound, talking
from engage.simulation.twilio.account import Account, Requested, WebhookFailure
from engage.simulation.twilio.api import Api
from engage.simulation.twilio.behaviour import Behaviour
from engage.simulation.twilio.calls import Call
from engage.simulation.twilio.delivery import Delivery
from engage.simulation.twilio.door import Door
from engage.simulation.twilio.messages import Message
from engage.simulation.twilio.phones import OnCall, OnText, Phone, PhoneKind, Pickup
from engage.simulation.twilio.senders import Registration, Sender


class FakeTwilio:
    """A Twilio account on a local port, with the phones at its other end.

    Time is virtual: nothing happens until `deliver_due` (or `run_in_real_time`) finds it due by `now`.
    `account_sid` is AC and 32 hex digits. `latency_ms` and `slow` are real time. `keep` is how many finished messages and
    calls are remembered (None: all). `webhooks_at_once` above 1 is quicker but leaves the order between messages open.
    `seed` decides all luck and all SIDs: against a database that lives on, every start needs another seed.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        now: Callable[[], datetime] = clock.now,
        inbound_url: str | None = None,
        voice_url: str | None = None,
        latency_ms: float = 0,
        behaviour: Behaviour | None = None,
        seed: int = 0,
        strict: bool = False,
        advanced_opt_out: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        keep: int | None = None,
        keep_requests: int = 10_000,
        webhooks_at_once: int = 1,
    ) -> None:
        self._account = Account(
            sid=account_sid,
            auth_token=auth_token,
            now=now,
            behaviour=behaviour or Behaviour(),
            seed=seed,
            keep=keep,
            keep_requests=keep_requests,
        )
        self._account.strict = strict
        self._account.advanced_opt_out = advanced_opt_out
        self._account.fake = self
        self._inbound_url = inbound_url
        self._voice_url = voice_url
        self._api = Api(self._account)
        self._door = Door(self._api, auth_token=auth_token, host=host, port=port, latency_ms=latency_ms)
        self._delivery = Delivery(self._account, self._door, webhooks_at_once)
        self._ticking: Thread | None = None
        self._pausing = Signal()
        self._trouble: BaseException | None = None

    # --- its life -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen; after a `stop` on the same port, with everything remembered. OSError: the port is taken."""
        if not self._door.is_open:
            self._door.open()

    def stop(self) -> None:
        """Go away like a host that is down: connections are refused. Raises what a phone's callback raised meanwhile."""
        try:
            self.pause()
        finally:
            self._door.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base to give to Engage instead of https://api.twilio.com; only while it runs."""
        return f"http://{self._door.host}:{self._door.port}"

    # --- who is there ---------------------------------------------------------------------------------------------

    def add_number(
        self,
        e164: str,
        *,
        inbound_url: str | None = None,
        fallback_url: str | None = None,
        voice_url: str | None = None,
        inbound_method: str = "POST",
    ) -> None:
        """Give the account a number; texts and calls to it are posted to its URLs, or else to the fake's own.

        `inbound_method` is only shown: the fake posts.
        """
        url, voice = inbound_url or self._inbound_url, voice_url or self._voice_url
        sender = Sender(e164, url, fallback_url, voice, inbound_method=inbound_method)
        self._account.senders.add(sender)

    def add_service(self, sid: str, numbers: Iterable[str], inbound_url: str | None = None) -> None:
        """Give the account a Messaging Service (MG and 32 hex digits) that sends from `numbers`."""
        chosen = tuple(numbers)
        for e164 in chosen:
            url = inbound_url or self._inbound_url
            self._account.senders.add(Sender(e164, url, voice_url=self._voice_url, service_sid=sid))
        self._account.senders.add_service(sid, chosen, inbound_url)

    def register(self, service_sid: str, registration: Registration) -> None:
        """Say what the carriers were told about a Messaging Service: its A2P 10DLC campaign and brand."""
        self._account.senders.register(service_sid, registration)

    def add_api_key(self, sid: str, secret: str) -> None:
        """Let an API key (SK…) in as well."""
        self._api.add_key(sid, secret)

    def add_phone(
        self,
        e164: str,
        *,
        kind: PhoneKind = "mobile",
        on_text: OnText | None = None,
        on_call: OnCall | None = None,
        opted_out: bool = False,
    ) -> Phone:
        """Put a person's phone into the world; its fields may be changed later. Callbacks run in the delivering thread."""
        phone = Phone(e164, kind, on_text, on_call, opted_out)
        self._account.phones[e164] = phone
        return phone

    # --- what people do -------------------------------------------------------------------------------------------

    def text_in(self, from_: str, to: str, body: str, *, media: int = 0, at: datetime | None = None) -> str:
        """Let a person text one of our numbers at `at` (default: now); the SID. ValueError: not a number of ours."""
        sender = self._own(to)
        sid = self._account.new_sid("MM" if media else "SM")
        text = inbound.TextIn(sid, from_, sender, body, media)
        inbound.plan(self._account, text, at or self._account.now())
        return sid

    def call_in(
        self, from_: str, to: str, *, digits: str | Callable[[str], str] = "", at: datetime | None = None
    ) -> str:
        """Let a person call one of our numbers and press `digits`; the SID. ValueError: not ours, or it has no voice URL."""
        sender = self._own(to)
        if sender.voice_url is None:
            raise ValueError(f"{to} has no voice URL")
        when = at or self._account.now()
        call = Call(
            account_sid=self._account.sid,
            sid=self._account.new_sid("CA"),
            to=to,
            from_=from_,
            status="ringing",
            created_at=when,
            direction="inbound",
            url=sender.voice_url,
            pickup=Pickup("answer", digits),
        )
        self._account.calls.put(call)
        talking.pick_up(self._account, call, when)
        return call.sid

    # --- how it behaves -------------------------------------------------------------------------------------------

    @property
    def behaviour(self) -> Behaviour:
        """Its rates and times: change the fields while it runs."""
        return self._account.behaviour

    def next_create(self, order: str, times: int = 1) -> None:
        """Fix the fate of the next creates, messages or calls: "500_after", "429:3", "slow:2.0", "refuse:21610" …

        All orders: `behaviour.Fates.order`. ValueError: not an order.
        """
        self._account.fates.order("create", order, times)

    def next_look(self, order: str, times: int = 1) -> None:
        """The same for the next fetches, lists, updates and deletes."""
        self._account.fates.order("look", order, times)

    # --- time -----------------------------------------------------------------------------------------------------

    def deliver_due(self, now: datetime | None = None) -> int:
        """Run every event due by `now` in time order, webhooks answered included; how many ran.

        What becomes due by then because of them runs too. Raises what a phone's callback raises.
        """
        return self._delivery.run(now or self._account.now())

    def next_due_at(self) -> datetime | None:
        """When something will happen next, None when nothing will."""
        return self._account.timeline.next_due_at()

    def run_in_real_time(self, tick_seconds: float = 0.01) -> None:
        """Call `deliver_due` from a thread of its own, again and again, until `pause`."""
        if self._ticking is not None:
            return
        self._pausing.clear()
        self._ticking = Thread(target=self._tick, args=(tick_seconds,), name="fake-twilio-time", daemon=True)
        self._ticking.start()

    def pause(self) -> None:
        """Stop calling `deliver_due`; raises what stopped the thread, if something did."""
        if self._ticking is None:
            return
        self._pausing.set()
        self._ticking.join()
        self._ticking = None
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            raise trouble

    # --- what it saw ----------------------------------------------------------------------------------------------

    @property
    def messages(self) -> list[Message]:
        """Texts it accepted for sending and still remembers, oldest first (`body`, `status`, `client_ref` …)."""
        return [m for m in self._account.messages.oldest_first() if m.direction != "inbound"]

    @property
    def texts_in(self) -> list[Message]:
        """Texts that reached it from people, oldest first."""
        return [m for m in self._account.messages.oldest_first() if m.direction == "inbound"]

    @property
    def calls(self) -> list[Call]:
        """Calls it still remembers, oldest first (`status`, `said`, `pressed` …)."""
        return self._account.calls.oldest_first()

    @property
    def requests(self) -> list[Requested]:
        """The last requests to its API, oldest first."""
        return list(self._account.requests)

    @property
    def webhook_failures(self) -> list[WebhookFailure]:
        """The last webhooks that were not answered 2xx, oldest first."""
        return list(self._account.webhook_failures)

    @property
    def unexpected(self) -> list[Message | Call]:
        """With strict=True: messages and calls to phones that nobody added."""
        return list(self._account.unexpected)

    def check(self) -> None:
        """AssertionError, naming them, when there was something unexpected."""
        if self._account.unexpected:
            lines = [f"  to {it.to}: {it.body if isinstance(it, Message) else 'a call'}" for it in self.unexpected]
            raise AssertionError("Nobody expected:\n" + "\n".join(lines))

    def _own(self, e164: str) -> Sender:
        sender = self._account.senders.number(e164)
        if sender is None:
            raise ValueError(f"{e164} is not a number of this account: add_number first")
        return sender

    def _tick(self, tick_seconds: float) -> None:
        while not self._pausing.is_set():
            try:
                self.deliver_due()
            except BaseException as trouble:  # noqa: BLE001 - handed to whoever pauses or stops
                self._trouble = trouble
                return
            self._pausing.wait(tick_seconds)


def serve(fake: FakeTwilio, until: Signal, *, tick_seconds: float = 0.01) -> None:
    """Run a fake in real time until `until` is set; for a command line."""
    with fake:
        fake.run_in_real_time(tick_seconds)
        until.wait()
