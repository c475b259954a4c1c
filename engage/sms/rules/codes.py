"""What Twilio's error codes, and the ends of calls, mean for us: the table of config/twilio-codes.toml in, meanings out. Pure.

Twilio warns that meanings change, so they are data; a code that is not listed is never retried and always shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from engage.errors import ConfigurationError
from engage.sms.rules.calls import CallEnd


class CodeClass(StrEnum):
    """What to do about a code."""

    RETRY_LATER = "retry_later"
    """Not delivered, may work later: a new message, if it is still useful."""
    PERMANENT_NUMBER = "permanent_number"
    """This phone will not get texts: mark it, reach the person another way."""
    PERMANENT_MESSAGE = "permanent_message"
    """This text will not go through as it is; the phone may be fine."""
    OPTED_OUT = "opted_out"
    """The person said STOP to Twilio: record it, text no more until START."""
    STOP_ALL = "stop_all"
    """Nothing can be sent for now: stop sending, tell the operator."""
    CONFIG_ALARM = "config_alarm"
    """Something is set up wrongly: this text is lost, tell the operator."""
    UNKNOWN_OUTCOME = "unknown_outcome"
    """It may have been sent: reconcile before anything else."""
    BUG = "bug"
    """We asked for something impossible: tell the operator, mend the program."""
    UNLISTED = "unlisted"
    """Nobody has said what this code means: not retried, shown to a person."""


class NumberMark(StrEnum):
    """What a code says about a phone."""

    LANDLINE = "landline"
    INVALID = "invalid"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One code: what to do, and `says`, what a nurse or scheduler reads.

    `retries` counts the further tries, each `wait` after the last one failed; both are zero where trying again is useless.
    """

    code: int | None
    kind: CodeClass
    says: str
    marks_number: NumberMark | None = None
    retries: int = 0
    wait: timedelta = timedelta(0)
    source: str = ""

    @property
    def may_retry(self) -> bool:
        """Whether the same text may be tried again later."""
        return self.retries > 0

    @property
    def needs_operator(self) -> bool:
        """Whether whoever runs Engage must hear of it, not only the office."""
        return self.kind in {CodeClass.STOP_ALL, CodeClass.CONFIG_ALARM, CodeClass.BUG, CodeClass.UNLISTED}


@dataclass(frozen=True, slots=True)
class CodeTable:
    """Every code we know, and what is done about a call that reached nobody."""

    rows: Mapping[int, Meaning]
    calls: Mapping[CallEnd, Meaning] = field(default_factory=lambda: MappingProxyType({}))

    def call(self, end: CallEnd) -> Meaning:
        """What a call's end means; one that the table does not have is permanent."""
        unknown = Meaning(None, CodeClass.PERMANENT_MESSAGE, "The call reached nobody. Call yourself.")
        return self.calls.get(end, unknown)

    def meaning(self, code: int | None) -> Meaning:
        """What `code` means; one that is not listed, or none at all, is permanent and visible."""
        known = None if code is None else self.rows.get(code)
        if known is not None:
            return known
        named = "without saying why" if code is None else f"with code {code}, which Engage does not know"
        return Meaning(code, CodeClass.UNLISTED, f"Not delivered: the phone network refused it {named}. Call instead.")


_REQUIRED = frozenset({"code", "class", "says", "source"})
_OF_CALLS = frozenset({"end", "class", "says", "source"})
_OPTIONAL = frozenset({"marks_number", "retries", "wait_minutes"})


def parse_codes(table: Mapping[str, Any]) -> CodeTable:
    """The table from the parsed TOML: `[[codes]]` rows with code, class, says, source, and where they apply
    marks_number (landline, invalid, unreachable), retries (number) and wait_minutes; `[[calls]]` rows with end instead of code.

    Raises ConfigurationError that names the row.
    """
    rows: dict[int, Meaning] = {}
    for position, row in enumerate(table.get("codes", []), start=1):
        meaning = _meaning(row, position)
        code = int(row["code"])
        if code in rows:
            raise _wrong(row, position, "the code stands there twice")
        rows[code] = meaning
    if not rows:
        raise ConfigurationError("twilio-codes.toml: there is no [[codes]] row.")
    return CodeTable(MappingProxyType(rows), MappingProxyType(_calls(table)))


def _calls(table: Mapping[str, Any]) -> dict[CallEnd, Meaning]:
    rows: dict[CallEnd, Meaning] = {}
    for position, row in enumerate(table.get("calls", []), start=1):
        if row.get("end") not in set(CallEnd) or CallEnd(row["end"]) in rows:
            raise _wrong(row, position, f"end must be one of {', '.join(CallEnd)}, each once")
        rows[CallEnd(row["end"])] = _meaning(row, position, _OF_CALLS)
    return rows


def _meaning(row: Mapping[str, Any], position: int, required: frozenset[str] = _REQUIRED) -> Meaning:
    if missing := required - row.keys():
        raise _wrong(row, position, f"{', '.join(sorted(missing))} is missing")
    if strange := row.keys() - (required | _OPTIONAL):
        raise _wrong(row, position, f"{', '.join(sorted(strange))} is not known")
    try:
        kind = CodeClass(row["class"])
        mark = NumberMark(row["marks_number"]) if "marks_number" in row else None
        retries, minutes = int(row.get("retries", 0)), int(row.get("wait_minutes", 0))
        code = int(row["code"]) if "code" in row else None
        meaning = Meaning(code, kind, str(row["says"]), mark, retries, timedelta(minutes=minutes), str(row["source"]))
    except (TypeError, ValueError) as problem:
        raise _wrong(row, position, str(problem)) from None
    has_both, has_neither = retries > 0 and minutes > 0, not (retries or minutes)
    if not (has_both if kind is CodeClass.RETRY_LATER else has_neither):
        raise _wrong(row, position, "retries and wait_minutes belong to the class retry_later, and only to it")
    return meaning


def _wrong(row: Mapping[str, Any], position: int, what: str) -> ConfigurationError:
    return ConfigurationError(f"twilio-codes.toml: row {position}, {_named(row)}: {what}.")


def _named(row: Mapping[str, Any]) -> str:
    return f"call {row['end']}" if "end" in row else f"code {row.get('code', '?')}"
