"""A message's way through its statuses in virtual time, and the callback each of them causes.

queued → sending → sent → delivered | undelivered; a service's text begins accepted, a later one scheduled; `failed` when it
has become too old or its phone has opted out. In: a message. Out: planned events and webhooks.
"""

from datetime import datetime, timedelta
from functools import partial

from engage.simulation.twilio.account import Account
from engage.simulation.twilio.messages import Message
from engage.simulation.twilio.phones import FINAL, SentText
from engage.simulation.twilio.segments import segments_of
from engage.simulation.twilio.timeline import NOTHING, Effects, Step
from engage.simulation.twilio.webhooks import Webhook
from engage.simulation.twilio.wire import API_VERSION, carrier_minute


def begin(account: Account, message: Message, send_at: datetime | None = None, from_: str | None = None) -> None:
    """Start an accepted message on its way; a service's goes by `from_`, or by a number of its choosing."""
    if message.service_sid is not None:
        sender = from_ or _service_number(account, message)
        account.timeline.plan(send_at or message.created_at, message.sid, partial(_queue, account, message, sender))
    else:
        _plan_sending(account, message, message.created_at)


def is_opted_out(account: Account, scope: str, phone: str) -> bool:
    """Whether `phone` gets no text of this scope: a number, or a Messaging Service."""
    return account.phone(phone).opted_out or account.senders.has_opted_out(scope, phone)


def cancel(account: Account, message: Message) -> None:
    """Cancel a scheduled message and tell its callback."""
    message.status = "canceled"
    message.updated_at = account.now()
    account.messages.finish(message.sid)
    account.timeline.plan(message.updated_at, message.sid, lambda at: Effects(callbacks(account, message, at)))


def _service_number(account: Account, message: Message) -> str:
    sender = account.senders.chosen_for(message.service_sid or "", message.to)
    return sender.e164 if sender else ""


def _queue(account: Account, message: Message, sender: str, at: datetime) -> Effects:
    if message.has_ended:
        return NOTHING  # cancelled while it was scheduled
    message.from_ = sender
    message.segments = segments_of(message.body)
    _plan_sending(account, message, at)
    return _become(account, message, "queued", at)


def _plan_sending(account: Account, message: Message, at: datetime) -> None:
    starts_at = at + timedelta(seconds=account.behaviour.queue_seconds)
    rate = account.behaviour.segments_per_second
    sender = message.from_ or ""
    if rate is not None:
        starts_at = max(starts_at, account.free_at.get(sender, starts_at))
    if message.valid_until is not None and starts_at >= message.valid_until:
        _plan(account, message, message.valid_until, partial(_fail, account, message, 30001))
        return
    if rate is not None:
        account.free_at[sender] = starts_at + timedelta(seconds=message.segments / rate)
    _plan(account, message, starts_at, partial(_start, account, message))


def _start(account: Account, message: Message, at: datetime) -> Effects:
    sender = account.senders.number(message.from_ or "")
    scope = message.service_sid or (sender.opt_out_scope if sender else "")
    # A text that was refused at once never comes here, so an opt-out seen here is one Twilio tells by callback.
    by_callback = message.service_sid is not None or account.behaviour.opt_out_mode == "callback"
    if by_callback and is_opted_out(account, scope, message.to) and message.direction == "outbound-api":
        return _fail(account, message, 21610, at)
    _plan(account, message, at + _seconds(account.behaviour.sending_seconds), partial(_send, account, message))
    return _become(account, message, "sending", at)


def _send(account: Account, message: Message, at: datetime) -> Effects:
    message.sent_at = at
    effects = _become(account, message, "sent", at)
    if account.phone(message.to).kind == "silent":
        account.messages.finish(message.sid)
        return Effects(effects.webhooks, partial(_arrive, account, message, at))
    _plan(account, message, at + _seconds(account.behaviour.delivery_seconds), partial(_end, account, message))
    return effects


def _end(account: Account, message: Message, at: datetime) -> Effects:
    status, message.error_code = FINAL[account.phone(message.to).kind]
    effects = _become(account, message, status, at)
    account.messages.finish(message.sid)
    if status == "delivered":
        return Effects(effects.webhooks, partial(_arrive, account, message, at))
    return effects


def _fail(account: Account, message: Message, code: int, at: datetime) -> Effects:
    message.error_code = code
    account.messages.finish(message.sid)
    return _become(account, message, "failed", at)


def _arrive(account: Account, message: Message, at: datetime) -> None:
    phone = account.phones.get(message.to)
    if phone is None:
        return
    text = SentText(message.sid, message.to, message.from_ or "", message.body, at)
    phone.texts.append(text)
    if phone.on_text is not None and account.fake is not None:
        phone.on_text(text, account.fake)


def _become(account: Account, message: Message, status: str, at: datetime) -> Effects:
    message.status = status
    message.updated_at = at
    return Effects(callbacks(account, message, at)) if message.status_callback else NOTHING


def callbacks(account: Account, message: Message, at: datetime) -> list[Webhook]:
    """The callbacks of the status a message has now: those to post at once; later ones are planned."""
    behaviour = account.behaviour
    if not message.status_callback or message.status not in behaviour.callback_statuses:
        return []
    # Three throws each time, so that changing one rate leaves the luck of the others as it was.
    lost, doubled, held = (account.callback_dice.random() for _ in range(3))
    if lost < behaviour.rate_callback_lost:
        return []
    hook = Webhook(
        kind="status",
        sid=message.sid,
        url=message.status_callback,
        params=_callback_params(message, at),
        token=f"{message.sid}-{message.status}",
    )
    hooks = [hook, hook] if doubled < behaviour.rate_callback_doubled else [hook]
    delay = behaviour.callback_delay
    if held < behaviour.callbacks_reordered:  # long enough for every later status to overtake it
        delay += behaviour.sending_seconds + behaviour.delivery_seconds + 1
    if not delay:
        return hooks
    account.timeline.plan(at + _seconds(delay), message.sid, lambda _: Effects(hooks))
    return []


def _callback_params(message: Message, at: datetime) -> dict[str, str]:
    """The fields of a status callback (facts/twilio.md §2)."""
    params = {
        "ApiVersion": API_VERSION,
        "AccountSid": message.account_sid,
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "MessageStatus": message.status,
        "SmsStatus": message.status,
        "From": message.from_ or "",
        "To": message.to,
    }
    if message.service_sid is not None:
        params["MessagingServiceSid"] = message.service_sid
    if message.error_code is not None:
        params["ErrorCode"] = str(message.error_code)
    if message.status in {"delivered", "undelivered"}:
        params["RawDlrDoneDate"] = carrier_minute(at)
    return params


def _plan(account: Account, message: Message, due_at: datetime, step: Step) -> None:
    account.timeline.plan(due_at, message.sid, step)


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
