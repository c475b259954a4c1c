"""How `engage why` is printed: facts in, lines for a person or JSON for a machine out. Decides and reads nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any

from engage.reports.rules.absence import Absence, NotSent
from engage.reports.rules.facts import MessageFacts, Said
from engage.reports.rules.local import day, near, noon, precisely
from engage.reports.rules.story import CATEGORY, headline, phone, rested_on, rule, standing, story, was_sent, what, who
from engage.reports.why_not import PatientDay

_LANGUAGES = {"en": "English", "es": "Spanish"}


# --- for a person -------------------------------------------------------------------------------------------------------


def message_text(facts: MessageFacts) -> str:
    """One message: what it was, how it ended, what happened, what it rested on."""
    return "\n".join(_message_lines(facts))


def _message_lines(facts: MessageFacts) -> Iterator[str]:
    yield f"Message {facts.id} of {facts.agency}: {what(facts)}"
    yield f"to {who(facts.whom)} ({phone(facts.whom)})"
    yield ""
    yield headline(facts)
    if because := rule(facts):
        yield f"The rule: {because}"
    yield ""
    yield f"What happened, as clocks show it in {facts.zone}:"
    for told in story(facts):
        yield f"  {precisely(told.at, facts.zone):<28}  {told.says}"
    yield ""
    yield f"What it rested on, {'as things stand' if facts.claimed_at is None and facts.ended_at is None else 'as it stood then'}:"
    for heading, says in rested_on(facts):
        yield f"  {heading + ':':<9}{says}"
    if facts.consent is not None and facts.consent.proof is not None:
        yield f"  Proof:   {facts.consent.proof}"
    yield f"  Wording: {_wording(facts)}"
    if facts.text is not None:
        yield f'  Text:    "{facts.text}"'


def _wording(facts: MessageFacts) -> str:
    if facts.language is None:
        return f'template "{facts.template}", not written{_why_unwritten(facts)}'
    parts = f"{facts.segments} segment{'' if facts.segments == 1 else 's'}"
    told = f'template "{facts.template}" in {_language(facts.language)}, {parts}.'
    words = facts.wording
    if words is None:
        return told
    if words.version is not None:
        on = f" on {words.reviewed_at:%Y-%m-%d}" if words.reviewed_at else ""
        told += f" Version {words.version} by {words.written_by}, reviewed by {words.reviewed_by}{on}."
    if words.wanted != facts.language:
        waits = f" (version {words.waiting} waits for a review)" if words.waiting else ""
        told += (
            f" Its reader's language is {_language(words.wanted)}, but no reviewed wording was in force in it{waits}."
        )
    return told


def _why_unwritten(facts: MessageFacts) -> str:
    words = facts.wording
    if facts.reason == "no_wording" and words is not None and words.waiting:
        return f": version {words.waiting} in {_language(words.wanted)} waits for a review (engage wording review)."
    return " yet: a text is written when it leaves." if facts.ended_at is None else "."


def _language(code: str) -> str:
    return _LANGUAGES.get(code, code)


def day_text(found: PatientDay) -> str:
    """A patient's day: a line for each text, then each in brief, then what was not sent and why."""
    return "\n".join(_day_lines(found))


def _day_lines(found: PatientDay) -> Iterator[str]:
    status = str(found.status).replace("_", " ")
    yield f"{found.first_name} ({found.emr_id}), {status} now. {day(found.on)}, as clocks show it in {found.zone}."
    yield ""
    yield "Texts of that day:" if found.messages else "No text was planned for that day."
    for facts in found.messages:
        leaves = near(facts.send_at, noon(found.on, facts.zone), facts.zone)
        yield f"  {facts.id:>6}  {leaves:>8}  {standing(facts):<13}  {what(facts)}, to {who(facts.whom)}"
    for facts in found.messages:
        yield ""
        yield f"Message {facts.id}, {phone(facts.whom)}: {headline(facts)}"
        for told in story(facts):
            yield f"  {precisely(told.at, facts.zone):<28}  {told.says}"
        for heading, says in rested_on(facts)[:2]:
            yield f"  {heading}: {says}"
        if facts.consent is not None and facts.consent.proof is not None:
            yield f"  Proof: {facts.consent.proof}"
        if facts.text is not None:
            yield f'  Text: "{facts.text}"'
    if found.not_sent:
        yield ""
        yield "Not sent, and why:"
    for not_sent in found.not_sent:
        yield from _not_sent_lines(not_sent)


def _not_sent_lines(not_sent: NotSent) -> Iterator[str]:
    missing = not_sent.missing
    yield f'  The {CATEGORY[missing.category]} "{missing.key}"' + (
        ":" if not_sent.readers else ": " + _sentences(not_sent.causes)
    )
    for candidate, causes in not_sent.readers:
        yield f"    {who(candidate.whom)} ({phone(candidate.whom)}): {_sentences(causes)}"


def _sentences(causes: tuple[Absence, ...]) -> str:
    return " ".join(cause.says for cause in causes)


# --- for a machine: instants in UTC -------------------------------------------------------------------------------------


def message_json(facts: MessageFacts) -> dict[str, Any]:
    """One message as JSON; docs/reference/cli.md describes the shape."""
    return {
        "message": facts.id,
        "agency": facts.agency,
        "kind": str(facts.kind),
        "channel": str(facts.channel),
        "retry_of": facts.retry_of,
        "tried_again_by": facts.tried_again_by,
        "what": what(facts),
        "touchpoint": facts.touchpoint,
        "occasion_on": facts.occasion_on.isoformat() if facts.occasion_on else None,
        "category": str(facts.category) if facts.category else None,
        "to": {"who": who(facts.whom), "role": facts.whom.role, "phone_ends": facts.whom.phone_ends},
        "zone": facts.zone,
        "template": facts.template,
        "language": facts.language,
        "wording": _wording_json(facts),
        "segments": facts.segments,
        "state": str(facts.state),
        "was_sent": was_sent(facts),
        "says": headline(facts),
        "reason": facts.reason,
        "rule": rule(facts),
        "error_code": facts.error_code,
        "sid": facts.sid,
        "attempts": facts.attempts,
        "send_at": _utc(facts.send_at),
        "expires_at": _utc(facts.expires_at),
        "alert": {"code": facts.page.code, "round": facts.page.round, "step": facts.page.step} if facts.page else None,
        "story": [
            {
                "at": _utc(told.at),
                "event": told.event,
                "says": told.says,
                "reason": told.reason,
                "until": _utc(told.until),
            }
            for told in story(facts)
        ],
        "rested_on": {
            "at": _utc(facts.decided_at),
            "consent": _said_json(facts.consent),
            "phone": _said_json(facts.phone_word),
            "texts_after": facts.limits.texts_after.isoformat("minutes"),
            "texts_until": facts.limits.texts_until.isoformat("minutes"),
            "own_after": _wall(facts.limits.own_after),
            "own_until": _wall(facts.limits.own_until),
            "daily_cap": facts.limits.daily_cap,
            "weekly_cap": facts.limits.weekly_cap,
            "that_day": facts.limits.that_day,
            "in_seven_days": facts.limits.in_seven_days,
        },
    } | ({"text": facts.text} if facts.text is not None else {})


def day_json(found: PatientDay) -> dict[str, Any]:
    """A patient's day as JSON; docs/reference/cli.md describes the shape."""
    return {
        "patient": found.emr_id,
        "first_name": found.first_name,
        "status": str(found.status),
        "on": found.on.isoformat(),
        "zone": found.zone,
        "messages": [message_json(facts) for facts in found.messages],
        "not_sent": [_not_sent_json(not_sent) for not_sent in found.not_sent],
    }


def _wording_json(facts: MessageFacts) -> dict[str, Any] | None:
    words = facts.wording
    if words is None:
        return None
    return {
        "version": words.version,
        "written_by": words.written_by,
        "reviewed_by": words.reviewed_by,
        "reviewed_at": _utc(words.reviewed_at),
        "wanted_language": words.wanted,
        "waiting": words.waiting,
    }


def _not_sent_json(not_sent: NotSent) -> dict[str, Any]:
    missing = not_sent.missing
    return {
        "touchpoint": missing.key,
        "category": str(missing.category),
        "occasion_on": missing.occasion_on.isoformat(),
        "send_at": _utc(missing.send_at),
        "causes": _causes_json(not_sent.causes),
        "readers": [
            {
                "who": who(candidate.whom),
                "role": candidate.whom.role,
                "phone_ends": candidate.whom.phone_ends,
                "consent": _said_json(candidate.consent),
                "phone": _said_json(candidate.phone_word),
                "causes": _causes_json(causes),
            }
            for candidate, causes in not_sent.readers
        ],
    }


def _causes_json(causes: tuple[Absence, ...]) -> list[dict[str, str]]:
    return [{"cause": str(cause.cause), "says": cause.says} for cause in causes]


def _said_json(said: Said | None) -> dict[str, Any] | None:
    if said is None:
        return None
    told: dict[str, Any] = {
        "kind": str(said.kind),
        "source": str(said.source),
        "said_at": _utc(said.said_at),
        "recorded_at": _utc(said.recorded_at),
        "has_proof": said.has_proof,
    }
    return told | ({"proof": said.proof} if said.proof is not None else {})


def _utc(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at is not None else None


def _wall(wall: time | None) -> str | None:
    return wall.isoformat("minutes") if wall is not None else None
