"""What Twilio posts: texts in, delivery receipts. Signature, one verb, an empty answer; every odd request is a 4xx."""

from collections.abc import Callable, Sequence
from functools import wraps

from flask import Blueprint, Response, abort, request

from engage import clock, log
from engage.db import Database
from engage.outreach.links import read_link
from engage.outreach.receipts import take_receipt
from engage.replies.inbox import InboundText, store
from engage.sms.rules.codes import CodeTable
from engage.sms.signatures import is_signed, public_url

_EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


def twilio_door(
    db: Database, codes: CodeTable, auth_tokens: Sequence[str], base_url: str, hint: Callable[[str], None]
) -> Blueprint:
    """POST /twilio/messages and /twilio/status. `hint` is told which verb has something to do."""
    door = Blueprint("twilio", __name__, url_prefix="/twilio")

    def signed(view: Callable[[], Response]) -> Callable[[], Response]:
        @wraps(view)
        def checked() -> Response:
            url = public_url(base_url, request.path, request.query_string)
            if not is_signed(auth_tokens, url, request.form, request.headers.get("X-Twilio-Signature")):
                log.get().warning("refused a request that Twilio did not sign", path=request.path)
                abort(403)
            return view()

        return checked

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
        sid, word = _field("MessageSid", 64), _field("MessageStatus", 32)
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
    to, service = _storable(request.form.get("To", "")), _storable(request.form.get("MessagingServiceSid", ""))
    if not (to or service):
        abort(400)
    return InboundText(
        sid=_field("MessageSid", 64),
        from_phone=_field("From", 320),
        to=to,
        service_sid=service or None,
        body=_storable(request.form.get("Body", "")),
        media=min(int(media), 100) if media.isascii() and media.isdigit() and len(media) < 4 else 0,
        opt_out_type=request.form.get("OptOutType"),
    )


def _field(name: str, longest: int) -> str:
    value = _storable(request.form.get(name, "")).strip()
    if not value or len(value) > longest:
        abort(400)
    return value


def _storable(value: str) -> str:
    """PostgreSQL cannot hold a zero character, nor UTF-8 half a one; a patient's other words must not be lost for it."""
    return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _code(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 9 else None
