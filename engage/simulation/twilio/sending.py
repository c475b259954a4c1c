"""A create: the form of POST Messages.json is checked as Twilio checks it and becomes a message on its way.

In: a form. Out: a Message, or RefusalError with Twilio's code. Never posts anything.
"""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from engage.simulation.twilio import walk
from engage.simulation.twilio.account import Account
from engage.simulation.twilio.messages import Message
from engage.simulation.twilio.refusals import RefusalError, masked
from engage.simulation.twilio.segments import segments_of
from engage.simulation.twilio.senders import Sender
from engage.simulation.twilio.wire import Form

_MAGIC = "+1500555000"  # the numbers of Twilio's test credentials (facts/twilio.md §12)
_MAGIC_FROM = {"1": 21212, "6": None, "7": 21606, "8": 21611}
_MAGIC_TO = {"1": 21211, "2": 21612, "3": 21408, "4": 21610, "9": 21614}
_NORTH_AMERICAN = re.compile(r"\+1[2-9]\d{2}[2-9]\d{6}")
_ELSEWHERE = re.compile(r"\+[2-9]\d{6,14}")
_LONGEST_VALIDITY = 36_000  # seconds (facts/twilio.md §9)


def is_magic(number: str) -> bool:
    """Whether the number is one of Twilio's own test numbers."""
    return number.startswith(_MAGIC) and len(number) == len(_MAGIC) + 1


def is_valid_number(number: str) -> bool:
    """Whether Twilio would take the number for a phone's: E.164, and a possible one in North America."""
    return bool((_NORTH_AMERICAN if number.startswith("+1") else _ELSEWHERE).fullmatch(number))


def create(account: Account, form: Form) -> Message:
    """Accept a message and start it on its way, or raise RefusalError."""
    to = _to(form)
    service_sid = form.get("MessagingServiceSid") or None
    from_ = _from(account, form, service_sid, to)
    body, media = _content(form)
    callback = _status_callback(form)
    send_at = _send_at(account, form, service_sid)
    scope = _scope(account, from_, service_sid)
    if _is_refused_at_once(account, scope, to, by_service=service_sid is not None):
        raise RefusalError(21610)
    now = account.now()
    message = Message(
        account_sid=account.sid,
        sid=account.new_sid("MM" if media else "SM"),
        to=to,
        from_=from_ if service_sid is None else None,
        body=body,
        direction="outbound-api",
        status="scheduled" if send_at else "accepted" if service_sid else "queued",
        created_at=now,
        segments=0 if service_sid else segments_of(body),
        service_sid=service_sid,
        status_callback=callback,
        num_media=media,
        valid_until=(send_at or now) + _validity(form),
    )
    account.messages.put(message)
    if account.strict and to not in account.phones:
        account.unexpected.append(message)
    if not is_magic(from_ or ""):  # texts of test credentials go nowhere
        walk.begin(account, message, send_at, from_)
    return message


def _to(form: Form) -> str:
    to = (form.get("To") or "").strip()
    if not to:
        raise RefusalError(21604)
    if is_magic(to) and to[-1] in _MAGIC_TO:
        raise RefusalError(_MAGIC_TO[to[-1]], masked(to) if to[-1] == "1" else to)
    if not is_magic(to) and not is_valid_number(to):
        raise RefusalError(21211, masked(to))
    return to


def _from(account: Account, form: Form, service_sid: str | None, to: str) -> str | None:
    from_ = (form.get("From") or "").strip()
    if service_sid is not None:
        if not account.senders.has_service(service_sid):
            raise RefusalError(21705, service_sid)
        if account.senders.chosen_for(service_sid, to) is None:
            raise RefusalError(21703)
        if not from_:
            return None
    if not from_:
        raise RefusalError(21603)
    if is_magic(from_):
        code = _MAGIC_FROM.get(from_[-1], 21606)
        if code is not None:
            raise RefusalError(code, from_)
    elif account.senders.number(from_) is None:
        raise RefusalError(21606, from_)
    if from_ == to:
        raise RefusalError(21266, from_)
    return from_


def _content(form: Form) -> tuple[str, int]:
    body, media = form.get("Body"), [url for url in form.all("MediaUrl") if url]
    if body is None and not media:
        raise RefusalError(21619)
    if not media and not (body or "").strip():
        raise RefusalError(21602)
    if len(body or "") > 1600:
        raise RefusalError(21617)
    return body or "", len(media)


def _status_callback(form: Form) -> str | None:
    url = form.get("StatusCallback")
    if not url:
        return None
    host = urlsplit(url).hostname if url.startswith(("http://", "https://")) else None
    if not host or "_" in host:  # no underscores in the host (facts/twilio.md §2)
        raise RefusalError(21609, url)
    return url


def _validity(form: Form) -> timedelta:
    text = form.get("ValidityPeriod")
    if text is None:
        return timedelta(seconds=_LONGEST_VALIDITY)
    if not text.isdecimal() or not 1 <= int(text) <= _LONGEST_VALIDITY:
        raise RefusalError(20001, f"ValidityPeriod must be between 1 and {_LONGEST_VALIDITY} seconds")
    return timedelta(seconds=int(text))


def _send_at(account: Account, form: Form, service_sid: str | None) -> datetime | None:
    kind = form.get("ScheduleType")
    if not kind:
        return None
    if kind != "fixed":
        raise RefusalError(35126)
    if service_sid is None:
        raise RefusalError(35118)
    try:
        send_at = datetime.fromisoformat(form.get("SendAt") or "")
    except ValueError:
        raise RefusalError(35117) from None
    send_at = send_at if send_at.tzinfo else send_at.replace(tzinfo=UTC)
    if send_at < account.now() + timedelta(seconds=300):
        raise RefusalError(35114)
    if send_at > account.now() + timedelta(days=35):
        raise RefusalError(35115)
    return send_at


def _scope(account: Account, from_: str | None, service_sid: str | None) -> str:
    sender: Sender | None = account.senders.number(from_ or "")
    return service_sid or (sender.opt_out_scope if sender else from_ or "")


def _is_refused_at_once(account: Account, scope: str, to: str, *, by_service: bool) -> bool:
    mode = account.behaviour.opt_out_mode
    return walk.is_opted_out(account, scope, to) and (mode == "sync" or (mode == "as_twilio" and not by_service))
