"""A patient's text on its way to Engage: recorded, its STOP or START heard, posted signed, its TwiML answer sent.

In: from, to, body, an instant. Out: a Message of direction inbound and a webhook. Engage's silence loses nothing: the text
stays in the account's list.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from engage.simulation.twilio import twiml, walk
from engage.simulation.twilio.account import Account, WebhookFailure
from engage.simulation.twilio.messages import Message
from engage.simulation.twilio.segments import segments_of
from engage.simulation.twilio.senders import Keyword, Sender
from engage.simulation.twilio.timeline import NOTHING, Effects
from engage.simulation.twilio.webhooks import Reply, Webhook
from engage.simulation.twilio.wire import API_VERSION

# Twilio's answers when Advanced Opt-Out is on; Engage must not answer again.
_ANSWERS: dict[Keyword, str] = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


@dataclass(frozen=True, slots=True)
class TextIn:
    """A text somebody is about to send us."""

    sid: str
    from_: str
    sender: Sender
    body: str
    media: int


def plan(account: Account, text: TextIn, at: datetime) -> None:
    """Let the text arrive at `at`."""
    account.timeline.plan(at, text.sid, partial(_arrive, account, text))


def _arrive(account: Account, text: TextIn, at: datetime) -> Effects:
    sender = text.sender
    account.messages.put(
        Message(
            account_sid=account.sid,
            sid=text.sid,
            to=sender.e164,
            from_=text.from_,
            body=text.body,
            direction="inbound",
            status="received",
            created_at=at,
            segments=segments_of(text.body),
            service_sid=sender.service_sid,
            num_media=text.media,
            sent_at=at,
        )
    )
    account.messages.finish(text.sid)
    was_out = account.senders.has_opted_out(sender.opt_out_scope, text.from_)
    keyword = account.senders.hear(sender, text.from_, text.body)
    if account.advanced_opt_out and keyword is not None and not (keyword == "HELP" and was_out):
        _send_back(account, text, twiml.Text(_ANSWERS[keyword]), at)
    if sender.inbound_url is None:
        return NOTHING
    hook = Webhook(
        kind="inbound",
        sid=text.sid,
        url=sender.inbound_url,
        params=_params(account, text, keyword if account.advanced_opt_out else None),
        token=text.sid,
        fallback_url=sender.fallback_url,
        on_answer=partial(_follow, account, text),
    )
    return Effects([hook])


def _params(account: Account, text: TextIn, opt_out: Keyword | None) -> dict[str, str]:
    """The fields of an inbound webhook (facts/twilio.md §1)."""
    params = {
        "MessageSid": text.sid,
        "SmsSid": text.sid,
        "SmsMessageSid": text.sid,
        "SmsStatus": "received",
        "AccountSid": account.sid,
        "ApiVersion": API_VERSION,
        "From": text.from_,
        "To": text.sender.e164,
        "Body": text.body,
        "NumMedia": str(text.media),
        "NumSegments": str(segments_of(text.body)),
    }
    for end, number in (("From", text.from_), ("To", text.sender.e164)):
        params[f"{end}Country"] = "US" if number.startswith("+1") else ""
        params |= {f"{end}{part}": "" for part in ("City", "State", "Zip")}
    if text.sender.service_sid is not None:
        params["MessagingServiceSid"] = text.sender.service_sid
    for n in range(text.media):
        sid = "ME" + text.sid[2:-1] + f"{n:x}"
        params[f"MediaUrl{n}"] = (
            f"https://api.twilio.com/{API_VERSION}/Accounts/{account.sid}/Messages/{text.sid}/Media/{sid}"
        )
        params[f"MediaContentType{n}"] = "image/jpeg"
    if opt_out is not None:
        params["OptOutType"] = opt_out
    return params


def _follow(account: Account, text: TextIn, reply: Reply, at: datetime) -> None:
    """Send the texts that Engage's TwiML asks for."""
    if not reply.is_ok:
        return
    try:
        verbs = twiml.read(reply.text).verbs
    except twiml.TwimlError as error:
        account.webhook_failures.append(
            WebhookFailure(
                "inbound", text.sid, text.sender.inbound_url or "", reply.status, str(error), at, reply.attempts
            )
        )
        return
    for verb in verbs:
        if isinstance(verb, twiml.Text) and verb.body:
            scope = text.sender.opt_out_scope
            if not walk.is_opted_out(account, scope, verb.to or text.from_):  # Twilio drops these: 21610
                _send_back(account, text, verb, at)


def _send_back(account: Account, text: TextIn, answer: twiml.Text, at: datetime) -> None:
    callback = answer.status_callback or ""
    message = Message(
        account_sid=account.sid,
        sid=account.new_sid("SM"),
        to=answer.to or text.from_,
        from_=text.sender.e164,
        body=answer.body,
        direction="outbound-reply",
        status="queued",
        created_at=at,
        segments=segments_of(answer.body),
        status_callback=callback if urlsplit(callback).scheme else None,
    )
    account.messages.put(message)
    if account.strict and message.to not in account.phones:
        account.unexpected.append(message)
    walk.begin(account, message)
