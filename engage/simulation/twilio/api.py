"""Twilio's REST API, version 2010-04-01: who asks, what for, what comes of it.

In: one request, decoded from HTTP. Out: an Outcome: the answer, and how badly the fake treats it. Never touches a socket.
"""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

from engage.simulation.twilio import calling, console, listing, sending, walk
from engage.simulation.twilio.account import Account, Requested
from engage.simulation.twilio.behaviour import Fate
from engage.simulation.twilio.calls import Call
from engage.simulation.twilio.messages import Message
from engage.simulation.twilio.refusals import RefusalError, refusal
from engage.simulation.twilio.wire import API_VERSION, Answer, Form


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `target` is the path with its query, as it came."""

    method: str
    target: str
    authorization: str
    body: bytes
    under_way: int  # requests being answered at this moment, this one included


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, None when the connection is to be broken instead, and real seconds to wait before."""

    answer: Answer | None
    wait_seconds: float = 0


class Api:
    """The API of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._keys = {_basic(account.sid, account.auth_token)}
        base = f"/{API_VERSION}/Accounts/{account.sid}"
        self._path = re.compile(rf"{re.escape(base)}/(Messages|Calls)(?:/(\w+))?\.json")

    def add_key(self, sid: str, secret: str) -> None:
        """Let an API key in, beside the account's own token."""
        self._keys.add(_basic(sid, secret))

    def handle(self, asked: Asked) -> Outcome:
        """Carry one request out, or not, as its fate wants."""
        path, _, query = asked.target.partition("?")
        outcome = self._outcome(asked, path, query)
        status = outcome.answer.status if outcome.answer else 0
        self._account.requests.append(Requested(asked.method, path, status))
        return outcome

    def _outcome(self, asked: Asked, path: str, query: str) -> Outcome:
        if asked.authorization not in self._keys:
            answer = refusal(20003)
            answer.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
            return Outcome(answer)
        shown = console.show(self._account, path, query) if asked.method == "GET" else None
        if shown is not None:
            return Outcome(shown)
        match = self._path.fullmatch(path)
        if match is None:
            return Outcome(refusal(20404, path))
        verb = self._verb(asked, match[1], match[2], path, query)
        fates = self._account.fates
        is_create = asked.method == "POST" and match[2] is None
        fate = fates.of_create(asked.under_way) if is_create else fates.of_look(asked.under_way)
        return _carry_out(verb, fate)

    def _verb(self, asked: Asked, kind: str, sid: str | None, path: str, query: str) -> Callable[[], Answer]:
        """The work that was asked for, to be done when its fate allows."""
        account = self._account
        if sid is not None:
            thing = (account.messages if kind == "Messages" else account.calls).get(sid)
            return (lambda: refusal(20404, path)) if thing is None else self._verb_on(thing, asked)
        if asked.method == "POST":
            create = sending.create if kind == "Messages" else calling.create
            return lambda: self._created(create, _form(asked))
        show = listing.messages if kind == "Messages" else listing.calls
        return lambda: show(account, Form.decode(query), path)

    def _verb_on(self, thing: Message | Call, asked: Asked) -> Callable[[], Answer]:
        match asked.method:
            case "POST":
                return lambda: self._updated(thing, _form(asked))
            case "DELETE":
                return lambda: self._deleted(thing)
        return lambda: Answer(200, thing.resource())

    def _created(self, create: Callable[[Account, Form], Message | Call], form: Form) -> Answer:
        with self._account.lock:
            return Answer(201, create(self._account, form).resource())

    def _updated(self, thing: Message | Call, form: Form) -> Answer:
        with self._account.lock:
            if isinstance(thing, Call):
                return Answer(200, calling.update(self._account, thing, form).resource())
            _update_message(self._account, thing, form)
            return Answer(200, thing.resource())

    def _deleted(self, thing: Message | Call) -> Answer:
        with self._account.lock:
            if not thing.has_ended:
                raise RefusalError(20009)
            shelf = self._account.messages if isinstance(thing, Message) else self._account.calls
            shelf.drop(thing.sid)
            return Answer(204)


def _carry_out(verb: Callable[[], Answer], fate: Fate) -> Outcome:
    if fate.refuse is not None:
        return Outcome(_refused(fate.refuse, fate.retry_after), fate.slow_seconds)
    answer: Answer | None = None
    if not fate.drop_before:
        try:
            answer = verb()
        except RefusalError as refused:
            return Outcome(refused.answer())
    if fate.after == "drop":
        answer = None
    elif fate.after != "answer":
        answer = refusal(20000 + int(fate.after))
    return Outcome(answer, fate.slow_seconds)


def _refused(code: int, retry_after: int | None) -> Answer:
    answer = refusal(code)
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def _form(asked: Asked) -> Form:
    return Form.decode(asked.body.decode("utf-8", "replace"))


def _update_message(account: Account, message: Message, form: Form) -> None:
    """Cancel a scheduled message, or redact an ended one: `Body=`, empty (facts/twilio.md §14)."""
    status, body = form.get("Status"), form.get("Body")
    if status is not None:
        if status != "canceled":
            raise RefusalError(20001, f"Invalid Status: {status}")
        if message.status != "scheduled":
            raise RefusalError(30409)
        walk.cancel(account, message)
    if body is not None:
        if body:
            raise RefusalError(20001, "Body can only be updated to an empty string")
        if not message.has_ended:
            raise RefusalError(20009)
        message.body = ""
        message.updated_at = account.now()


def _basic(name: str, secret: str) -> str:
    return "Basic " + b64encode(f"{name}:{secret}".encode()).decode()
