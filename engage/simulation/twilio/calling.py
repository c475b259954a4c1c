"""Calls.json: the form of a create or an update is checked as Twilio checks it and carried out.

In: a form. Out: a Call, or RefusalError with Twilio's code.
"""

from urllib.parse import urlsplit

from engage.simulation.twilio import talking
from engage.simulation.twilio.account import Account
from engage.simulation.twilio.calls import Call
from engage.simulation.twilio.refusals import RefusalError
from engage.simulation.twilio.sending import is_magic, is_valid_number
from engage.simulation.twilio.wire import Form

_MAGIC_TO = {"1": 21217, "2": 21214, "3": 21215, "4": 21216}  # facts/twilio.md §12
_LONGEST_TWIML = 4000
_LONGEST_RING = 600
_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})


def create(account: Account, form: Form) -> Call:
    """Accept a call and start dialling, or raise RefusalError."""
    to, from_ = _to(form), _from(account, form)
    url, twiml = _instructions(form)
    if url is None and twiml is None:
        raise RefusalError(21205)
    call = Call(
        account_sid=account.sid,
        sid=account.new_sid("CA"),
        to=to,
        from_=from_,
        status="queued",
        created_at=account.now(),
        url=url,
        method=_method(form, "Method"),
        twiml=twiml,
        fallback_url=form.get("FallbackUrl") or None,
        ring_seconds=_ring_seconds(form),
        detects_machine=form.get("MachineDetection") in {"Enable", "DetectMessageEnd"},
        status_callback=form.get("StatusCallback") or None,
        callback_method=_method(form, "StatusCallbackMethod"),
        callback_events=_events(form),
    )
    account.calls.put(call)
    if account.strict and to not in account.phones:
        account.unexpected.append(call)
    if not is_magic(from_):
        talking.dial(account, call)
    return call


def update(account: Account, call: Call, form: Form) -> Call:
    """End a call (Status=canceled before it is answered, completed at any time), or send it to other instructions."""
    status = form.get("Status")
    if status is not None and status not in {"canceled", "completed"}:
        raise RefusalError(20001, f"Invalid Status: {status}")
    if call.has_ended:
        raise RefusalError(21220)
    if status == "canceled" and call.status in {"queued", "ringing"}:
        talking.end(account, call, "canceled")
    elif status == "completed":
        talking.end(account, call, "completed" if call.status == "in-progress" else "canceled")
    elif status is None:
        url, twiml = _instructions(form)
        if call.status != "in-progress" or (url is None and twiml is None):
            raise RefusalError(21220)
        talking.redirect(account, call, url, twiml, _method(form, "Method"))
    return call


def _to(form: Form) -> str:
    to = (form.get("To") or "").strip()
    if not to:
        raise RefusalError(21201)
    if is_magic(to) and to[-1] in _MAGIC_TO:
        raise RefusalError(_MAGIC_TO[to[-1]], to)
    if not is_magic(to) and not is_valid_number(to):
        raise RefusalError(21217, to)
    return to


def _from(account: Account, form: Form) -> str:
    from_ = (form.get("From") or "").strip()
    if not from_:
        raise RefusalError(21213)
    if is_magic(from_):
        if from_[-1] == "6":
            return from_
        raise RefusalError(21212 if from_[-1] == "1" else 21210, from_)
    if account.senders.number(from_) is None:
        raise RefusalError(21210 if is_valid_number(from_) else 21212, from_)
    return from_


def _instructions(form: Form) -> tuple[str | None, str | None]:
    url, twiml = form.get("Url") or None, form.get("Twiml") or None
    if url is not None:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise RefusalError(21205, url)
        return url, None  # Twiml is ignored when there is a Url (facts/twilio.md §13)
    if twiml is not None and len(twiml) > _LONGEST_TWIML:
        raise RefusalError(20001, f"Twiml must not be longer than {_LONGEST_TWIML} characters")
    return None, twiml


def _method(form: Form, key: str) -> str:
    return "GET" if (form.get(key) or "").upper() == "GET" else "POST"


def _ring_seconds(form: Form) -> int:
    text = form.get("Timeout") or "60"
    return min(int(text), _LONGEST_RING) if text.isdecimal() and int(text) else 60


def _events(form: Form) -> frozenset[str]:
    wanted = {word for value in form.all("StatusCallbackEvent") for word in value.replace(",", " ").split()}
    return frozenset(wanted & _EVENTS) or frozenset({"completed"})
