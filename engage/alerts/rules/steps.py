"""A step of a ladder as people write it: words in ("on_call:SN 10 x2 voice 17:00-08:00"), its parts out, and back. Pure."""

import re
from dataclasses import dataclass
from datetime import time

from engage.alerts.rules.ladder import Hours
from engage.alerts.rules.words import Channel, Who
from engage.errors import BadInput

_HOURS = re.compile(r"(\d{1,2}:\d\d)-(\d{1,2}:\d\d)")
_HOW = "A step is WHO MINUTES, then if you like xTIMES, a channel and hours: 'nurse 10', 'on_call:SN 15 x2 sms 17:00-08:00', 'person:N7 30'."


@dataclass(frozen=True, slots=True)
class Written:
    """A step as written. `of` is what follows the colon: a discipline after on_call, an EMR id after person."""

    who: Who
    minutes: int
    of: str | None = None
    times: int = 1
    channel: Channel = Channel.ANY
    hours: Hours | None = None


def read_step(words: str) -> Written:
    """The step that `words` say; BadInput names the word that means nothing, and how a step is written."""
    who, minutes, *rest = [*words.split(), "", ""][: max(2, len(words.split()))]
    name, _, of = who.partition(":")
    if name not in set(Who):
        raise BadInput(f"{name!r} is nobody a step can page: {', '.join(Who)}. {_HOW}")
    if (name == Who.PERSON) != bool(of) and name != Who.ON_CALL:
        raise BadInput(f"{who!r}: only person:ID (always) and on_call:DISCIPLINE have something after a colon. {_HOW}")
    if not minutes.isdecimal() or not 1 <= int(minutes) <= 1440:
        raise BadInput(f"{words!r}: {minutes or 'nothing'!r} is not a whole number of minutes from 1 to 1440. {_HOW}")
    parts: dict[str, int | Channel | Hours] = {}
    for word in rest:
        parts |= _more(word, words)
    return Written(Who(name), int(minutes), of or None, **parts)  # type: ignore[arg-type]


def _more(word: str, words: str) -> dict[str, int | Channel | Hours]:
    if re.fullmatch(r"x([1-9]|10)", word):
        return {"times": int(word[1:])}
    if word in set(Channel):
        return {"channel": Channel(word)}
    if found := _HOURS.fullmatch(word):
        after, until = (_time(part, words) for part in found.groups())
        if after == until:
            raise BadInput(f"{words!r}: the hours {word} are empty; leave them out for a step at any hour.")
        return {"hours": Hours(after, until)}
    raise BadInput(f"{words!r}: {word!r} means nothing here. {_HOW}")


def _time(part: str, words: str) -> time:
    hour, minute = part.split(":")
    if int(hour) > 23 or int(minute) > 59:
        raise BadInput(f"{words!r}: {part} is not a time of day.")
    return time(int(hour), int(minute))


def write_step(step: Written) -> str:
    """The words that `read_step` reads as `step`."""
    who = f"{step.who}:{step.of}" if step.of else str(step.who)
    parts = [who, str(step.minutes)]
    if step.times > 1:
        parts.append(f"x{step.times}")
    if step.channel is not Channel.ANY:
        parts.append(str(step.channel))
    if step.hours is not None:
        parts.append(f"{step.hours.after:%H:%M}-{step.hours.until:%H:%M}")
    return " ".join(parts)
