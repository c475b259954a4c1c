"""A desk to send and receive from: the cast's database, the fake Twilio over HTTP, our web over HTTP, and a frozen clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from sqlalchemy import select, text
from werkzeug.serving import BaseWSGIServer, make_server

from engage import clock
from engage.outreach.dispatch import Dispatched, Flow, Limits, Stop, dispatch
from engage.outreach.model import Message, Touchpoint
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.reconcile import Reconciled, reconcile
from engage.outreach.rules.words import Kind
from engage.settings import read_toml
from engage.simulation.twilio import FakeTwilio, Phone, WebhookFailure
from engage.sms.gateway import TwilioGateway
from engage.sms.rules.codes import CodeTable, parse_codes
from tests.cast import (
    ANA_PHONE,
    BEN_PHONE,
    MARTA_PHONE,
    MONDAY,
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
PHONES = (ROSE_PHONE, MARTA_PHONE, STRANGER_PHONE, ANA_PHONE, BEN_PHONE, SUE_PHONE)
UNTIL_SETTLED = timedelta(seconds=70)


@dataclass(repr=False)
class Desk:
    """Verbs to call, phones to look at, rows to read. Time passes only when told to."""

    cast: Cast
    fake: FakeTwilio
    codes: CodeTable
    time: FrozenDateTimeFactory
    web: str
    gateway: TwilioGateway
    phones: Mapping[str, Phone]
    occasions: int = 0
    forgiven: int = 0

    # --- what is queued -------------------------------------------------------------------------------------------

    def answer(self, template: str = "answer-confirmed", contact: int | None = None, **params: object) -> int:
        """Queue an answer to Rose (or another contact of Sunrise's); its id."""
        contact = contact or self.cast.rose_contact
        patient = self.cast.rose if contact == self.cast.rose_contact else self.cast.marta
        outgoing = Outgoing(self.cast.id, Kind.ANSWER, template, contact_id=contact, patient_id=patient, params=params)
        with self.cast.db.agency_session(self.cast.id) as session:
            made = queue(session, outgoing, clock.now())
        assert made is not None
        return made

    def checkin(self, contact: int | None = None, **values: Any) -> int:
        """Plan a check-in of Rose's (or another's) that is due now and useful for three hours; its id."""
        contact = contact or self.cast.rose_contact
        patient = self.cast.rose if contact == self.cast.rose_contact else self.cast.marta
        self.occasions += 1
        with self.cast.db.agency_session(self.cast.id) as session:
            touchpoint = session.scalars(select(Touchpoint).where(Touchpoint.key == "morning-checkin")).one()
            now = clock.now()
            message = Message(
                **(
                    {
                        "agency_id": self.cast.id,
                        "kind": "touchpoint",
                        "priority": touchpoint.priority,
                        "touchpoint_id": touchpoint.id,
                        "occasion": f"2026-11-22 {self.occasions}",
                        "patient_id": patient,
                        "contact_id": contact,
                        "template": touchpoint.template,
                        "category": touchpoint.category,
                        "asks": touchpoint.asks,
                        "planned_at": now,
                        "send_at": now,
                        "due_at": now,
                        "expires_at": now + timedelta(hours=3),
                    }
                    | values
                )
            )
            session.add(message)
            session.flush()
            return message.id

    def reminder(self, contact: int | None = None, **values: Any) -> int:
        """Plan tomorrow's reminder of a visit of Rose's (or another's) that is due now and useful for six hours; its id."""
        contact = contact or self.cast.rose_contact
        patient = self.cast.rose if contact == self.cast.rose_contact else self.cast.marta
        if not self.count("SELECT count(*) FROM visits WHERE patient_id = :id", id=patient):
            self.cast.visit(patient)
        with self.cast.db.agency_session(self.cast.id) as session:
            touchpoint = session.scalars(select(Touchpoint).where(Touchpoint.key == "day-before")).one()
            chosen: dict[str, Any] = {
                "touchpoint_id": touchpoint.id,
                "occasion": MONDAY.isoformat(),
                "template": touchpoint.template,
                "category": touchpoint.category,
                "asks": touchpoint.asks,
                "expires_at": clock.now() + timedelta(hours=6),
            }
        return self.checkin(contact, **chosen | values)

    def note(self) -> int:
        """Queue a note to Ana; its id."""
        note = Outgoing(self.cast.id, Kind.NOTE, "note-help", clinician_id=self.cast.ana)
        with self.cast.db.agency_session(self.cast.id) as session:
            made = queue(session, note, clock.now())
        assert made is not None
        return made

    # --- verbs ----------------------------------------------------------------------------------------------------

    def dispatch(
        self, *, stop: Stop | None = None, gateway: TwilioGateway | None = None, flow: Flow | None = None, **limits: Any
    ) -> Dispatched:
        """One run of the dispatcher."""
        chosen = Limits(**({"public_url": self.web, "at_once": 4} | limits))
        return dispatch(self.cast.db, gateway or self.gateway, self.codes, chosen, stop, flow)

    def reconcile(self) -> Reconciled:
        """One run of reconciliation."""
        return reconcile(self.cast.db, self.gateway, self.codes, clock.now())

    def settle(self) -> Reconciled:
        """Pass the time after which an unknown text may be looked up, and reconcile."""
        self.time.tick(UNTIL_SETTLED)
        return self.reconcile()

    def deliver(self, seconds: float = 10) -> None:
        """Let Twilio deliver what it has, receipts included."""
        self.time.tick(timedelta(seconds=seconds))
        self.fake.deliver_due()

    @contextmanager
    def hasty(self, seconds: float = 0.3) -> Iterator[TwilioGateway]:
        """A gateway that soon stops waiting for an answer."""
        gateway = TwilioGateway(ACCOUNT, TOKEN, api_url=self.fake.url, timeout_seconds=seconds)
        yield gateway
        gateway.close()

    # --- what became of it ----------------------------------------------------------------------------------------

    def row(self, message_id: int) -> Message:
        """The message as it stands now."""
        with self.cast.db.agency_session(self.cast.id) as session:
            return session.scalars(select(Message).where(Message.id == message_id)).one()

    def retry_of(self, message_id: int) -> Message | None:
        """The message that was made of it when it failed."""
        with self.cast.db.agency_session(self.cast.id) as session:
            return session.scalars(select(Message).where(Message.retry_of == message_id)).one_or_none()

    def state(self, message_id: int) -> str:
        """Only its state."""
        return self.row(message_id).state

    def texts(self, phone: str = ROSE_PHONE) -> list[str]:
        """What has arrived on a phone."""
        return [sent.body for sent in self.phones[phone].texts]

    def count(self, sql: str, **values: object) -> int:
        """A number from the database, over all agencies."""
        return int(self.sql(sql, **values)[0][0])

    def sql(self, sql: str, **values: object) -> list[Any]:
        """Rows of any statement, over all agencies."""
        with self.cast.db.system_session("test") as session:
            result = session.execute(text(sql), values)
            return list(result.all()) if result.returns_rows else []

    def forgive(self) -> list[WebhookFailure]:
        """The webhooks that failed since last asked; those nobody asks for fail the test."""
        failed = self.fake.webhook_failures[self.forgiven :]
        self.forgiven += len(failed)
        return failed


@contextmanager
def desk_of(cast: Cast, time: FrozenDateTimeFactory) -> Iterator[Desk]:
    """A desk around the cast; nobody unknown may be texted, and no webhook may fail unless the test forgives it."""
    codes = parse_codes(read_toml(cast.config / "twilio-codes.toml"))
    with FakeTwilio(account_sid=ACCOUNT, auth_token=TOKEN, strict=True) as fake, web_of(cast, codes) as web:
        for number in (SUNRISE_NUMBER, SUNRISE_PAGES, OTHER_NUMBER):
            fake.add_number(number, inbound_url=f"{web}/twilio/messages")
        phones = {number: fake.add_phone(number) for number in PHONES}
        gateway = TwilioGateway(ACCOUNT, TOKEN, api_url=fake.url, timeout_seconds=60)
        try:
            desk = Desk(cast, fake, codes, time, web, gateway, phones)
            yield desk
            fake.check()
            assert desk.forgive() == []
        finally:
            gateway.close()


@contextmanager
def web_of(cast: Cast, codes: CodeTable) -> Iterator[str]:
    """Our web over the cast's database, on a port of its own; its address."""
    server: BaseWSGIServer = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    address = f"http://127.0.0.1:{server.server_port}"
    server.app = create_app(cast.db, codes, auth_tokens=[TOKEN], public_url=address)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
