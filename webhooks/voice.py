"""What Twilio posts about our calls: the key that was pressed, and how a call goes. Signature, one verb, the answer in TwiML."""

from collections.abc import Callable, Sequence
from typing import NoReturn

from flask import Blueprint, Response, abort, request

from engage import clock, log
from engage.alerts.digits import take_digit
from engage.db import Database
from engage.outreach.links import Link, page_key_action, read_call_link, read_page_link
from engage.outreach.receipts import take_call
from engage.replies.pressed import Key, take_key
from engage.sms import twiml
from engage.sms.rules.codes import CodeTable
from webhooks.posted import field, signed_by, storable


def voice_door(
    db: Database, codes: CodeTable, auth_tokens: Sequence[str], base_url: str, hint: Callable[[str], None]
) -> Blueprint:
    """POST /twilio/voice/answer and /status for reminders, /twilio/voice/page/… for pages. `hint` is told which verb has to run."""
    door = Blueprint("voice", __name__, url_prefix="/twilio/voice")
    signed = signed_by(auth_tokens, base_url)

    @door.post("/answer")
    @signed
    def answer() -> Response:
        link = _link(read_call_link)
        key = Key(field("CallSid", 64), field("To", 320), field("Digits", 1))
        spoken = take_key(db, codes, link, key, clock.now())
        if spoken is None:
            _not_here(link)
        hint("handle")
        log.get().info("key received", sid=key.call_sid)
        return Response(twiml.statement(spoken.words, spoken.language), mimetype="text/xml")

    @door.post("/status")
    @signed
    def status() -> Response:
        link = _link(read_call_link)
        sid, word = field("CallSid", 64), field("CallStatus", 32)
        answered_by = storable(request.form.get("AnsweredBy", ""))[:32] or None
        if not take_call(db, codes, link, sid, word, answered_by, clock.now()):
            _not_here(link)
        return Response(status=204)

    @door.post("/page/answer")
    @signed
    def page_answer() -> Response:
        link = _link(read_page_link)
        heard = take_digit(db, codes, link, field("CallSid", 64), field("Digits", 1), clock.now())
        if heard is None:
            _not_here(link)
        hint("escalate")
        if heard.asks:
            return Response(twiml.question(heard.words, "en", page_key_action(base_url, link)), mimetype="text/xml")
        return Response(twiml.statement(heard.words, "en"), mimetype="text/xml")

    @door.post("/page/status")
    @signed
    def page_status() -> Response:
        link = _link(read_page_link)
        sid, word = field("CallSid", 64), field("CallStatus", 32)
        answered_by = storable(request.form.get("AnsweredBy", ""))[:32] or None
        if not take_call(db, codes, link, sid, word, answered_by, clock.now(), needs_key=True):
            _not_here(link)
        hint("escalate")
        return Response(status=204)

    return door


def _link(read: Callable[[str], Link | None]) -> Link:
    link = read(request.args.get("m", ""))
    if link is None:
        abort(404)
    return link


def _not_here(link: Link) -> NoReturn:
    log.get().warning("a report of a call that is not here", agency=link.agency_id, message=link.message_id)
    abort(404)
