"""A call in virtual time: it rings, is answered or not, follows its TwiML and ends, with a callback for each event.

In: a Call. Out: planned events and webhooks. The phone's owner decides whether to answer and which keys to press.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Literal
from urllib.parse import urljoin

from engage.simulation.twilio import twiml
from engage.simulation.twilio.account import Account, WebhookFailure
from engage.simulation.twilio.calls import Call
from engage.simulation.twilio.phones import Pickup, RingingCall
from engage.simulation.twilio.timeline import NOTHING, Effects, Step
from engage.simulation.twilio.webhooks import Reply, Webhook
from engage.simulation.twilio.wire import API_VERSION, rfc2822

_MOST_TURNS = 100  # a document that redirects to itself for ever is ended, as Twilio ends it


def dial(account: Account, call: Call) -> None:
    """Start an accepted call on its way."""
    account.timeline.plan(call.created_at, call.sid, lambda at: _tell(account, call, "initiated", at))
    ring_at = call.created_at + timedelta(seconds=account.behaviour.dial_seconds)
    account.timeline.plan(ring_at, call.sid, partial(_ring, account, call))


def pick_up(account: Account, call: Call, at: datetime) -> None:
    """Answer a call that a person makes to one of our numbers."""
    account.timeline.plan(at, call.sid, partial(_answer, account, call))


def end(account: Account, call: Call, status: str) -> None:
    """End a call from outside and tell its callback."""
    at = account.now()
    account.timeline.plan(at, call.sid, lambda when: _tell(account, call, "completed", when))
    _close(account, call, status, at)


def redirect(account: Account, call: Call, url: str | None, document: str | None, method: str) -> None:
    """Let a call that is under way go on with other instructions."""
    call.turn += 1
    call.url, call.twiml, call.method = url, document, method
    account.timeline.plan(account.now(), call.sid, partial(_fetch, account, call, call.turn, {}))


def _ring(account: Account, call: Call, at: datetime) -> Effects:
    if call.has_ended:
        return NOTHING
    phone = account.phone(call.to)
    if phone.kind in {"unreachable", "gone"}:
        _close(account, call, "failed", at)
        return _tell(account, call, "completed", at)
    call.status = "ringing"
    call.updated_at = at
    effects = _tell(account, call, "ringing", at)
    return Effects(effects.webhooks, partial(_ask_owner, account, call, at))


def _ask_owner(account: Account, call: Call, at: datetime) -> None:
    """The owner decides now what will happen when the phone has rung for a while."""
    phone = account.phone(call.to)
    if phone.on_call is not None and account.fake is not None:
        call.pickup = phone.on_call(RingingCall(call.sid, call.to, call.from_, at), account.fake)
    rings = account.behaviour.answer_seconds
    if call.pickup.how in {"no-answer", "busy"} or rings >= call.ring_seconds:
        status = "busy" if call.pickup.how == "busy" else "no-answer"
        waits = 1.0 if status == "busy" else call.ring_seconds
        account.timeline.plan(at + timedelta(seconds=waits), call.sid, partial(_give_up, account, call, status))
        return
    account.timeline.plan(at + timedelta(seconds=rings), call.sid, partial(_answer, account, call))


def _give_up(account: Account, call: Call, status: str, at: datetime) -> Effects:
    if call.has_ended:
        return NOTHING
    _close(account, call, status, at)
    return _tell(account, call, "completed", at)


def _answer(account: Account, call: Call, at: datetime) -> Effects:
    if call.has_ended:
        return NOTHING
    call.status = "in-progress"
    call.started_at = call.updated_at = at
    if call.detects_machine:
        call.answered_by = "machine_start" if call.pickup.how == "machine" else "human"
    if call.pickup.how == "machine":
        call.pickup = Pickup("machine")  # a voicemail presses no keys
    told = _tell(account, call, "answered", at)
    return Effects([*told.webhooks, *_fetch(account, call, call.turn, {}, at).webhooks])


def _fetch(account: Account, call: Call, turn: int, extra: dict[str, str], at: datetime) -> Effects:
    """Get the call's instructions: from its Url by a signed request, or from its own Twiml."""
    if call.has_ended or turn != call.turn:
        return NOTHING
    if call.url is None:
        return _follow(account, call, turn, call.twiml or "", at)
    method: Literal["GET", "POST"] = "GET" if call.method == "GET" else "POST"
    hook = Webhook(
        kind="voice",
        sid=call.sid,
        url=call.url,
        params=_params(call) | extra,
        token=account.new_sid("EV"),
        method=method,
        fallback_url=call.fallback_url,
        on_answer=partial(_go_on, account, call, turn),
    )
    return Effects([hook])


def _go_on(account: Account, call: Call, turn: int, reply: Reply, at: datetime) -> None:
    document = reply.text if reply.is_ok else None

    def step(when: datetime) -> Effects:
        if document is None:  # Twilio says "an application error has occurred" and hangs up
            return _hang_up(account, call, turn, when)
        return _follow(account, call, turn, document, when)

    account.timeline.plan(at, call.sid, step)


def _follow(account: Account, call: Call, turn: int, document: str, at: datetime) -> Effects:
    try:
        call.script = twiml.read(document)
    except twiml.TwimlError as error:
        failure = WebhookFailure("voice", call.sid, call.url or "", None, str(error), at, 1)
        account.webhook_failures.append(failure)
        return _hang_up(account, call, turn, at)
    return _next(account, call, turn, at)


def _next(account: Account, call: Call, turn: int, at: datetime) -> Effects:
    """Follow the verbs until something must wait: keys, another document, or the end."""
    if call.has_ended or turn != call.turn:
        return NOTHING
    while call.script.verbs:
        verb = call.script.verbs.pop(0)
        match verb:
            case twiml.Say() | twiml.Pause():
                at += _say(call, verb)
            case twiml.Gather():
                return _gather(account, call, turn, verb, at)
            case twiml.Redirect():
                return _move(account, call, (verb.url, verb.method), {}, at)
            case twiml.Hangup():
                break
            case twiml.Text():
                pass  # a text sent from within a call is nothing Engage does
    _plan(account, call, at, partial(_hang_up, account, call, turn))
    return NOTHING


def _gather(account: Account, call: Call, turn: int, gather: twiml.Gather, at: datetime) -> Effects:
    for verb in gather.said:
        at += _say(call, verb)
    keys = _keys(call, gather)
    if not keys:
        at += timedelta(seconds=gather.timeout)
        if not gather.is_action_on_empty:
            _plan(account, call, at, partial(_next, account, call, turn))
            return NOTHING
    else:
        call.pressed.append(keys)
        at += timedelta(seconds=account.behaviour.key_seconds)
    target = (gather.action or call.url or "", gather.method)
    return _move(account, call, target, {"Digits": keys, "msg": "Gather End"}, at)


def _keys(call: Call, gather: twiml.Gather) -> str:
    """The keys pressed at a question; those of a string are used up."""
    digits = call.pickup.digits
    if not isinstance(digits, str):
        pressed = digits(" ".join(call.said))
        return pressed[: gather.num_digits] if gather.num_digits else pressed
    if gather.num_digits:
        taken, rest = digits[: gather.num_digits], digits[gather.num_digits :]
    else:
        taken, _, rest = digits.partition(gather.finish_on_key or "\0")
    call.pickup = Pickup(call.pickup.how, rest)
    return taken


def _move(account: Account, call: Call, target: tuple[str, str], extra: dict[str, str], at: datetime) -> Effects:
    """Go on with another document, as <Redirect> and a <Gather>'s action do."""
    url, method = target
    if call.turn >= _MOST_TURNS or not (url or call.url):
        _plan(account, call, at, partial(_hang_up, account, call, call.turn))
        return NOTHING
    call.turn += 1
    call.url, call.method = urljoin(call.url or "", url), method
    _plan(account, call, at, partial(_fetch, account, call, call.turn, extra))
    return NOTHING


def _say(call: Call, verb: twiml.Say | twiml.Pause) -> timedelta:
    if isinstance(verb, twiml.Say):
        call.said.append(verb.text)
    return timedelta(seconds=verb.seconds)


def _hang_up(account: Account, call: Call, turn: int, at: datetime) -> Effects:
    if call.has_ended or turn != call.turn:
        return NOTHING
    _close(account, call, "completed", at)
    return _tell(account, call, "completed", at)


def _close(account: Account, call: Call, status: str, at: datetime) -> None:
    call.status = status
    call.ended_at = call.updated_at = at
    account.calls.finish(call.sid)


def _tell(account: Account, call: Call, event: str, at: datetime) -> Effects:
    """The status callback of an event, when it was asked for."""
    if call.status_callback is None or event not in call.callback_events:
        return NOTHING
    if event == "initiated" and call.has_ended:
        return NOTHING
    params = _params(call) | {
        "CallStatus": "initiated" if event == "initiated" else call.status,
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(call.callbacks_made),
        "Timestamp": rfc2822(at) or "",
    }
    if event == "completed":
        params |= {"CallDuration": str(call.seconds), "Duration": str(-(-call.seconds // 60))}
    call.callbacks_made += 1
    method: Literal["GET", "POST"] = "GET" if call.callback_method == "GET" else "POST"
    token = f"{call.sid}-{params['SequenceNumber']}"
    return Effects([Webhook("status", call.sid, call.status_callback, params, token, method)])


def _params(call: Call) -> dict[str, str]:
    params = {
        "CallSid": call.sid,
        "AccountSid": call.account_sid,
        "ApiVersion": API_VERSION,
        "CallStatus": call.status,
        "Direction": call.direction,
        "From": call.from_,
        "Caller": call.from_,
        "To": call.to,
        "Called": call.to,
    }
    if call.answered_by is not None:
        params["AnsweredBy"] = call.answered_by
    return params


def _plan(account: Account, call: Call, due_at: datetime, step: Step) -> None:
    account.timeline.plan(due_at, call.sid, step)
