"""Journeys read as conversations: `rose.expects("visit tomorrow").replies("can it be thursday").expects("call you")`.

Nothing of ours is patched. Twilio is fake, and spoken to over HTTP in both directions; only time is set by the test.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from freezegun.api import FrozenDateTimeFactory
from werkzeug.serving import make_server

from engage import settings as engage_settings
from engage.simulation.twilio import FakeTwilio
from engage.simulation.twilio.phones import Phone, Pickup, RingingCall, SentText
from engage.worker import Verbs
from tests.cast import (
    ANA_PHONE,
    BEN_PHONE,
    MARTA_PHONE,
    OTHER_NUMBER,
    ROSE_PHONE,
    STRANGER_PHONE,
    SUE_PHONE,
    SUNRISE_NUMBER,
    SUNRISE_PAGES,
    Cast,
)
from webhooks import create_app

ACCOUNT = "AC" + "0" * 32
TOKEN = "a token for tests"


@dataclass
class Person:
    """Somebody with a phone. `expects` reads the texts in order; `is_silent` says that nothing came that was not read."""

    world: World
    number: str
    ours: str
    inbox: list[SentText] = field(default_factory=list)
    read: int = 0
    calls: list[RingingCall] = field(default_factory=list)
    pickup: Pickup = field(default_factory=lambda: Pickup("no-answer"))
    phone: Phone = field(init=False)

    def expects(self, *keywords: str) -> Person:
        """The next text has all of these words, in any case."""
        self.world.settle()
        assert self.read < len(self.inbox), f"no text came; expected one about {keywords}"
        body = self.inbox[self.read].body
        self.read += 1
        missing = [word for word in keywords if word.lower() not in body.lower()]
        assert not missing, f"{missing} not in: {body}"
        return self

    def replies(self, body: str, **more: int) -> Person:
        """Text back to the number that texts this person."""
        self.world.fake.text_in(self.number, self.ours, body, **more)
        self.world.settle()
        return self

    def has_a_landline(self) -> Person:
        """Texts do not arrive here any more; the phone rings instead, and nobody answers unless told to."""
        self.phone.kind = "landline"
        return self

    def when_called(self, how: Literal["answer", "machine", "no-answer", "busy"], digits: str = "") -> Person:
        """What becomes of calls from now on."""
        self.pickup = Pickup(how, digits)
        return self

    def rings(self, call: RingingCall) -> Pickup:
        """The phone rings."""
        self.calls.append(call)
        return self.pickup

    def is_silent(self) -> Person:
        """Nothing unread has come."""
        self.world.settle()
        unread = [text.body for text in self.inbox[self.read :]]
        assert not unread, f"nobody expected: {unread}"
        return self

    @property
    def last_body(self) -> str:
        """The text that was read last."""
        return self.inbox[self.read - 1].body


@dataclass
class World:
    """Sunrise's day: our verbs in this process, our web over HTTP, the fake Twilio between us and the phones."""

    cast: Cast
    fake: FakeTwilio
    verbs: Verbs
    time: FrozenDateTimeFactory
    rose: Person = field(init=False)
    marta: Person = field(init=False)
    stranger: Person = field(init=False)
    ana: Person = field(init=False)
    ben: Person = field(init=False)
    sue: Person = field(init=False)

    def __post_init__(self) -> None:
        self.rose = self._person(ROSE_PHONE, SUNRISE_NUMBER)
        self.marta = self._person(MARTA_PHONE, SUNRISE_NUMBER)
        self.stranger = self._person(STRANGER_PHONE, OTHER_NUMBER)
        self.ana = self._person(ANA_PHONE, SUNRISE_PAGES)
        self.ben = self._person(BEN_PHONE, SUNRISE_PAGES)
        self.sue = self._person(SUE_PHONE, SUNRISE_PAGES)

    def _person(self, number: str, ours: str) -> Person:
        person = Person(self, number, ours)
        person.phone = self.fake.add_phone(
            number, on_text=lambda text, _: person.inbox.append(text), on_call=lambda call, _: person.rings(call)
        )
        return person

    def settle(self) -> None:
        """Let everything that is due now happen, a few seconds of virtual time included."""
        for _ in range(6):
            self.verbs.handle()
            self.verbs.escalate()
            self.verbs.dispatch()
            self.verbs.mail()
            self.time.tick(timedelta(seconds=1))
            self.fake.deliver_due()

    def go_to(self, instant: datetime) -> None:
        """Pass time until `instant`, quarter hour by quarter hour, as a worker would."""
        now = self.verbs_now()
        while now < instant:
            now = min(now + timedelta(minutes=15), instant)
            self.time.move_to(now)
            self.step()

    def pass_minutes(self, minutes: int) -> None:
        """Pass time minute by minute."""
        for _ in range(minutes):
            self.time.tick(timedelta(minutes=1))
            self.step()

    def step(self) -> None:
        """One tick of a worker."""
        self.verbs.plan()
        self.verbs.handle()
        self.verbs.escalate()
        self.verbs.dispatch()
        self.verbs.mail()
        self.verbs.reconcile()
        self.fake.deliver_due()
        self.verbs.handle()

    @staticmethod
    def verbs_now() -> datetime:
        """The frozen present."""
        from engage import clock

        return clock.now()


@contextmanager
def world_of(cast: Cast, time: FrozenDateTimeFactory, host: str = "127.0.0.1") -> Iterator[World]:
    """A world around the cast; at its end nobody may have been texted whom no test knows. `host`: as our web is called."""
    with FakeTwilio(account_sid=ACCOUNT, auth_token=TOKEN, strict=True) as fake:
        settings = engage_settings.load(
            public_url="http://127.0.0.1:1",
            twilio_account_sid=ACCOUNT,
            twilio_auth_token=TOKEN,
            twilio_api_url=fake.url,
            dispatch_at_once=4,
        )
        verbs = Verbs.of(cast.db, settings)
        server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
        address = f"http://{host}:{server.server_port}"
        verbs = replace(verbs, settings=settings.model_copy(update={"public_url": address}))
        server.app = create_app(cast.db, verbs.codes, auth_tokens=[TOKEN], public_url=address)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        for number in (SUNRISE_NUMBER, SUNRISE_PAGES, OTHER_NUMBER):
            fake.add_number(number, inbound_url=f"{address}/twilio/messages")
        try:
            with closing(verbs.gateway):
                yield World(cast, fake, verbs, time)
            fake.check()
            assert fake.webhook_failures == []
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
