"""What Twilio posts: texts in, delivery receipts. Signature, one verb, an empty answer; every odd request is a 4xx."""

from collections.abc import Callable, Sequence

from flask import Blueprint, Response, abort, request

from engage import clock, log
from engage.db import Database
from engage.outreach.links import read_link
from engage.outreach.receipts import take_receipt
from engage.replies.inbox import InboundText, store
from engage.sms.rules.codes import CodeTable
from webhooks.posted import field, signed_by, storable

_EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


def twilio_door(
    db: Database, codes: CodeTable, auth_tokens: Sequence[str], base_url: str, hint: Callable[[str], None]
) -> Blueprint:
    """POST /twilio/messages and /twilio/status. `hint` is told which verb has something to do."""
    door = Blueprint("twilio", __name__, url_prefix="/twilio")

    signed = signed_by(auth_tokens, base_url)

    @door.post("/messages")
    @signed
    def messages() -> Response:
        inbound = _inbound()
        stored = store(db, inbound, clock.now())
        hint("handle")
        log.get().info("text received", sid=inbound.sid, stored=stored)
        return Response(_EMPTY, mimetype="text/xml")

    @door.post("/status")
    @signed
    def status() -> Response:
        link = read_link(request.args.get("m", ""))
        sid, word = field("MessageSid", 64), field("MessageStatus", 32)
        if link is None:
            abort(404)
        if not take_receipt(db, codes, link, sid, word, _code(request.form.get("ErrorCode")), clock.now()):
            log.get().warning(
                "a receipt for a message that is not here", agency=link.agency_id, message=link.message_id
            )
            abort(404)
        return Response(status=204)

    return door


def _inbound() -> InboundText:
    media = request.form.get("NumMedia", "0")
    to, service = storable(request.form.get("To", "")), storable(request.form.get("MessagingServiceSid", ""))
    if not (to or service):
        abort(400)
    return InboundText(
        sid=field("MessageSid", 64),
        from_phone=field("From", 320),
        to=to,
        service_sid=service or None,
        body=storable(request.form.get("Body", "")),
        media=min(int(media), 100) if media.isascii() and media.isdigit() and len(media) < 4 else 0,
        opt_out_type=request.form.get("OptOutType"),
    )


def _code(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 9 else None
