"""The story of one message in plain words: its facts in; what it was, what happened, what it rested on out. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from engage.outreach.rules.reasons import explain
from engage.outreach.rules.words import Anchor, Channel, Kind, Turn
from engage.patients.rules.words import Category, ConsentKind, ConsentSource
from engage.reports.rules import local
from engage.reports.rules.facts import MessageFacts, Receipted, Said, Turned, Whom
from engage.sms.rules.statuses import MessageState, state_of

CATEGORIES = {Category.VISITS: "visit reminders", Category.CHECKINS: "check-ins", Category.SURVEYS: "surveys"}
CATEGORY = {Category.VISITS: "reminder", Category.CHECKINS: "check-in", Category.SURVEYS: "survey"}
_SOURCES = {
    ConsentSource.EMR: "in the EMR's file",
    ConsentSource.PAPER: "on paper",
    ConsentSource.PHONE: "on the phone",
    ConsentSource.TEXT: "by text",
    ConsentSource.PROVIDER: "to Twilio, which told us",
    ConsentSource.STAFF: "to the staff",
}
_RECEIPTS = {
    "accepted": "It waits at Twilio.",
    "queued": "It waits at Twilio.",
    "sending": "Twilio is handing it to the phone network.",
    "sent": "The phone network has it.",
    "delivered": "The phone network reports it delivered.",
    "undelivered": "The phone network reports it not delivered.",
    "failed": "Twilio reports that it failed.",
    "canceled": "Twilio has taken it back.",
}
_NEVER_SENT = {MessageState.EXPIRED, MessageState.CANCELLED, MessageState.SUPPRESSED}
_FAILED = {MessageState.FAILED, MessageState.UNDELIVERED}


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `event` is a word for machines, `says` a sentence, `rule` why Engage does so."""

    at: datetime
    event: str
    says: str
    reason: str | None = None
    rule: str | None = None
    until: datetime | None = None


def what(facts: MessageFacts) -> str:
    """What the message was and for which occasion: `the reminder "day-before" for the visits of Mon Nov 23, 2026`."""
    spoken = ", spoken in a call" if facts.channel is Channel.VOICE else ""
    again = f", tried again after message {facts.retry_of} failed" if facts.retry_of is not None else ""
    return _occasion(facts) + spoken + again


def _occasion(facts: MessageFacts) -> str:
    if facts.kind is Kind.TOUCHPOINT:
        named = f'the {CATEGORY[facts.category] if facts.category else "text"} "{facts.touchpoint}"'
        if facts.occasion_on is None:
            return named
        about = {Anchor.VISIT_DAY: "the visits of", Anchor.VISIT_COMPLETED: "the visit of"}
        linked = about.get(facts.anchor, "") if facts.anchor else ""
        return f"{named} for {linked} {local.day(facts.occasion_on)}".replace("  ", " ")
    if facts.kind is Kind.PAGE:
        return "a page" + (_about_alert(facts) or " about an alert")
    if facts.kind is Kind.NOTE:
        return f'a note ("{facts.template}"){_about_alert(facts)}'
    said = {
        Kind.OPT_OUT_CONFIRMATION: "the confirmation of an opt-out",
        Kind.ANSWER: f'an answer ("{facts.template}")',
        Kind.ENROLMENT: f'the question whether this phone may be texted ("{facts.template}")',
        Kind.HAND: "a text that somebody wrote by hand",
    }
    came = f" to the text that came {local.moment(facts.answers_text_of, facts.zone)}" if facts.answers_text_of else ""
    return said.get(facts.kind, f"a text ({str(facts.kind).replace('_', ' ')})") + came


def _about_alert(facts: MessageFacts) -> str:
    if facts.page is None:
        return ""
    place = f", round {facts.page.round}, step {facts.page.step} of the ladder" if facts.page.step is not None else ""
    return f" about alert {facts.page.code}{place}"


def who(whom: Whom) -> str:
    """Who is written to, without a last name: "Rose, the patient", "Joan, family of Rose", "Ana, nurse"."""
    if whom.is_clinician:
        return f"{whom.name}, {whom.role}"
    if whom.role == "patient":
        return f"{whom.patient}, the patient"
    relation = "family" if whom.role == "family" else "emergency contact"
    return f"{whom.name}, {relation} of {whom.patient}" if whom.name else f"{relation} of {whom.patient}"


def phone(whom: Whom) -> str:
    """The phone by its last two digits, never more."""
    return f"phone ending in {whom.phone_ends}" if whom.phone_ends else "phone not readable"


def headline(facts: MessageFacts) -> str:
    """How it ended, or where it stands, in one sentence."""
    if facts.state in _NEVER_SENT:
        return f"Not sent. {explain(facts.reason or '').says}"
    if facts.state in _FAILED:
        again = f" Message {facts.tried_again_by} tries it again." if facts.tried_again_by is not None else ""
        return f"{_how_it_failed(facts)} {_failure(facts)}{again}"
    if facts.state is MessageState.PLANNED:
        return _waiting(facts)
    return {
        MessageState.SENDING: "On its way to Twilio at this moment.",
        MessageState.UNKNOWN: f"Perhaps sent. Twilio's log is asked from {local.moment(facts.due_at, facts.zone)} on.",
        MessageState.DELIVERED: f"Delivered {local.moment(facts.ended_at, facts.zone) if facts.ended_at else ''}.",
    }.get(facts.state, "Sent. No final word from the phone network yet; some never give one.")


def _waiting(facts: MessageFacts) -> str:
    why = f" {explain(facts.reason).says}" if facts.reason else ""
    due, until = local.moment(facts.due_at, facts.zone), local.near(facts.expires_at, facts.due_at, facts.zone)
    return f"Not sent yet.{why} It is to leave {due}, and is of use until {until}."


def _how_it_failed(facts: MessageFacts) -> str:
    return "Sent, but not delivered." if facts.accepted_at else "Not sent: Twilio refused it."


def _failure(facts: MessageFacts) -> str:
    """The sentence of Twilio's code says more than its class."""
    return facts.code_says or explain(facts.reason or "").says


def story(facts: MessageFacts) -> tuple[Moment, ...]:
    """Everything that happened to the message, in order."""
    order = {"planned": 0, "claimed": 1, "accepted": 2, "receipt": 3, "ended": 5}
    return tuple(sorted(_moments(facts), key=lambda moment: (moment.at, order.get(moment.event, 4))))


def _moments(facts: MessageFacts) -> Iterator[Moment]:
    use = local.near(facts.expires_at, facts.send_at, facts.zone)
    is_at_once = facts.send_at <= facts.planned_at
    leave = "at once" if is_at_once else local.near(facts.send_at, facts.planned_at, facts.zone)
    yield Moment(facts.planned_at, "planned", f"Planned: to leave {leave}, of use until {use}.", until=facts.send_at)
    yield from _turns(facts)
    if facts.claimed_at is not None:
        which = "" if facts.attempts < 2 else f", attempt {facts.attempts}"
        sender = f" from {facts.sender}" if facts.sender else ""
        says = f"Allowed to go, written, and taken up for sending{sender}{which}."
        yield Moment(facts.claimed_at, "claimed", says)
    if facts.accepted_at is not None:
        yield Moment(facts.accepted_at, "accepted", f"Twilio took it ({facts.sid}).")
    for receipt in facts.receipts:
        if state_of(receipt.status) is not facts.state or receipt.at != facts.ended_at:  # the end tells that one
            yield _receipt(receipt)
    if facts.ended_at is not None:
        yield _end(facts, facts.ended_at)


def _receipt(receipt: Receipted) -> Moment:
    code = f" Code {receipt.error_code}: {receipt.says}" if receipt.error_code else ""
    said = _RECEIPTS.get(receipt.status, f"Twilio reports: {receipt.status}.")
    return Moment(receipt.at, "receipt", said + code, receipt.status)


def _end(facts: MessageFacts, at: datetime) -> Moment:
    if facts.state is MessageState.DELIVERED:
        return Moment(at, "ended", "Delivered: it is on the phone.", None)
    reason = facts.reason or ""
    if facts.state in _FAILED:
        code = f" Twilio's code is {facts.error_code}." if facts.error_code else ""
        says = f"{_how_it_failed(facts)} {_failure(facts)}{code}"
        return Moment(at, "ended", says, reason, explain(reason).rule)
    ended = {MessageState.EXPIRED: "Expired unsent.", MessageState.CANCELLED: "Cancelled."}
    says = f"{ended.get(facts.state, 'Not sent.')} {explain(reason).says}"
    return Moment(at, "ended", says, reason, explain(reason).rule)


def _turns(facts: MessageFacts) -> Iterator[Moment]:
    """Turns that repeat themselves (Twilio busy for an hour) are told once, with how often."""
    ordered = sorted(facts.turns, key=lambda turned: turned.at)
    for (turn, reason), same in groupby(ordered, key=lambda turned: (turned.turn, turned.reason)):
        yield _turned(turn, reason, list(same), facts.zone)


def _turned(turn: Turn, reason: str | None, same: Sequence[Turned], zone: str) -> Moment:
    explained = explain(reason) if reason else None
    because = f" {explained.says}" if explained else ""
    until = same[-1].until
    waits = f" until {local.moment(until, zone)}" if until else ""
    says = {
        Turn.HELD: f"Held{waits}.{because}",
        Turn.HANDED_BACK: f"Handed back unsent{', to be tried again from ' + local.moment(until, zone) if until else ''}.{because}",
        Turn.LOST_CONTACT: f"Perhaps sent, perhaps not.{because}",
        Turn.LAPSED: f"Perhaps sent, perhaps not.{because or ' The program that was sending it died.'}",
        Turn.FOUND: "Found in Twilio's log: it had been sent.",
        Turn.NEVER_LEFT: "Twilio's log does not hold it: it had not been sent.",
        Turn.TRIED_AGAIN: f"A new message was made of it, to be tried again{' from ' + local.moment(until, zone) if until else ''}.{because}",
    }.get(turn, f"{str(turn).replace('_', ' ').capitalize()}.{because}")
    if len(same) > 1:
        says += f" {len(same)} times, the last one {local.moment(same[-1].at, zone)}."
    return Moment(same[0].at, str(turn), says, reason, explained.rule if explained else None, until)


def consent_words(said: Said | None, category: Category | None, zone: str) -> str:
    """The consent that stood for a category, as one sentence."""
    about = CATEGORIES[category] if category else "texts"
    if said is None:
        return f"No consent for {about} had been recorded."
    given = "Given" if said.kind is ConsentKind.GRANTED else "TAKEN BACK"
    recorded = f", recorded {local.moment(said.recorded_at, zone)}" if said.recorded_at != said.said_at else ""
    proof = "its proof is stored" if said.has_proof else "no proof is stored"
    said_on = f"{_SOURCES[said.source]} on {local.day_of(said.said_at, zone)}"
    return f"{given} for {about} {said_on}{recorded}; {proof}."


def phone_words(said: Said | None, zone: str) -> str:
    """The last word of the phone itself, as one sentence."""
    if said is None:
        return "It had not said STOP."
    word = "STOP" if said.kind is ConsentKind.OPTED_OUT else "START"
    return f"Its last word was {word}, {_SOURCES[said.source]}, {local.moment(said.said_at, zone)}."


def rested_on(facts: MessageFacts) -> tuple[tuple[str, str], ...]:
    """What allowed or forbade it, as (heading, sentence) pairs."""
    if facts.whom.is_clinician:
        return (("Consent", "None is needed: pages and notes to clinicians leave at any hour."),)
    if facts.kind is Kind.HAND:
        return (
            (
                "Consent",
                "That for its category; or none, where the reader had written within a day: then it is an answer.",
            ),
            ("Phone", phone_words(facts.phone_word, facts.zone)),
        )
    if facts.kind is Kind.ENROLMENT:
        asks = "It asks for it: everything else that a text without being asked needs was looked at."
        return (("Consent", asks), ("Phone", phone_words(facts.phone_word, facts.zone)), ("Hours", _hours(facts)))
    if facts.kind is not Kind.TOUCHPOINT:
        return (
            ("Consent", "None is needed: the reader had just written, and an answer may leave at any hour."),
            ("Phone", phone_words(facts.phone_word, facts.zone)),
        )
    limits = facts.limits
    had = f"{limits.that_day} that day, {limits.in_seven_days} in those seven days"
    return (
        ("Consent", consent_words(facts.consent, facts.category, facts.zone)),
        ("Phone", phone_words(facts.phone_word, facts.zone)),
        ("Hours", _hours(facts)),
        ("Caps", f"At most {limits.daily_cap} a day and {limits.weekly_cap} in seven days; before this one: {had}."),
    )


def _hours(facts: MessageFacts) -> str:
    limits = facts.limits
    agency = f"{local.wall(limits.texts_after)} to {local.wall(limits.texts_until)} in {facts.zone}"
    if limits.own_after is None or limits.own_until is None:
        return f"{agency}."
    return f"{agency}; the patient's own are {local.wall(limits.own_after)} to {local.wall(limits.own_until)}."


def rule(facts: MessageFacts) -> str | None:
    """The rule behind its reason, where it has one."""
    return explain(facts.reason).rule if facts.reason else None


def was_sent(facts: MessageFacts) -> bool | None:
    """Whether it left: None while that is not known."""
    if facts.state in {MessageState.UNKNOWN, MessageState.SENDING}:
        return None
    return facts.accepted_at is not None and facts.state not in _NEVER_SENT


def standing(facts: MessageFacts) -> str:
    """Where it stands, in a word or two for a list."""
    return {
        MessageState.PLANNED: "waits",
        MessageState.SENDING: "on its way",
        MessageState.UNKNOWN: "perhaps sent",
        MessageState.ACCEPTED: "sent",
        MessageState.SENT: "sent",
        MessageState.DELIVERED: "delivered",
        MessageState.FAILED: "NOT DELIVERED",
        MessageState.UNDELIVERED: "NOT DELIVERED",
    }.get(facts.state, "not sent")
