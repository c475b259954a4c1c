"""What the programme's pages show: rows in, moments, overrides and history out, a handful of queries for any number. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.console.rules.timeline import Line, Moment, read_line
from engage.onboarding.rules.document import template_order
from engage.onboarding.wordings import Wordings
from engage.outreach.model import Touchpoint
from engage.outreach.rules.checks.lengths import usual_text
from engage.outreach.rules.groups import read_group, read_taper
from engage.outreach.rules.placeholders import is_for_clinicians
from engage.outreach.rules.words import Anchor, Asks

MOST_OWN = 100
_OWN_COUNTS = text(
    "SELECT touchpoint_id, count(*) AS patients FROM programme_overrides WHERE agency_id = :agency GROUP BY 1"
)
_OWN = text("""
SELECT p.id AS patient_id, p.emr_id, p.first_name || ' ' || p.last_name AS patient, o.is_off, o.local_time, o.set_at
FROM programme_overrides o JOIN patients p ON p.agency_id = o.agency_id AND p.id = o.patient_id
WHERE o.agency_id = :agency AND o.touchpoint_id = :touchpoint AND (CAST(:branches AS bigint[]) IS NULL OR p.branch_id = ANY(CAST(:branches AS bigint[])))
ORDER BY o.set_at DESC, p.id LIMIT :most
""")
# The comparison of two documents tells each change in a line; those of touchpoints are about the programme.
_HISTORY = text("""
SELECT e.at, COALESCE(a.name, e.actor) AS who, e.action, ARRAY(
    SELECT line FROM jsonb_array_elements_text(e.detail -> 'changes') AS line WHERE line LIKE CAST(:like AS text)) AS lines
FROM audit_events e LEFT JOIN accounts a ON a.agency_id = e.agency_id AND e.actor = 'account:' || a.id
WHERE e.agency_id = :agency AND e.subject = 'agency' AND jsonb_typeof(e.detail -> 'changes') = 'array'
  AND EXISTS (SELECT FROM jsonb_array_elements_text(e.detail -> 'changes') AS line WHERE line LIKE CAST(:like AS text))
ORDER BY e.id DESC LIMIT 30
""")


@dataclass(frozen=True, slots=True)
class Own:
    """A patient who has a touchpoint their own way: off, or at another hour."""

    patient_id: int
    emr_id: str
    patient: str
    is_off: bool
    at: time | None
    set_at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """Who changed the programme, when, and each line of it."""

    at: datetime
    who: str
    action: str
    lines: tuple[Line, ...]


def read_moments(session: Session, agency_id: int, wordings: Wordings) -> list[Moment]:
    """Every touchpoint of the agency, with its words as they leave and how many patients have it their own way."""
    own = {row.touchpoint_id: row.patients for row in session.execute(_OWN_COUNTS, {"agency": agency_id})}
    languages = sorted({language for _, language in wordings.places})
    rows = session.scalars(select(Touchpoint).where(Touchpoint.agency_id == agency_id).order_by(Touchpoint.id))
    return [_moment(row, own.get(row.id, 0), _words(wordings, row.template, languages)) for row in rows]


def _words(wordings: Wordings, template: str, languages: Sequence[str]) -> Mapping[str, str]:
    """The text as it usually is, by language; with invented people, for nobody's name belongs on a page about everybody."""
    found = {language: wordings.in_force(template, language) for language in languages}
    return {
        language: usual_text(row.wording, wordings.house, language) or row.wording
        for language, row in found.items()
        if row is not None
    }


def _moment(row: Touchpoint, own: int, words: Mapping[str, str]) -> Moment:
    group, taper = read_group(row.for_whom), read_taper(row.taper)
    if isinstance(group, str) or isinstance(taper, str):
        raise LookupError(f"the rule of touchpoint {row.id} cannot be read")  # noqa: TRY004 - a row, not an argument
    return Moment(
        key=row.key,
        anchor=Anchor(row.anchor),
        offset_days=row.offset_days,
        offset_minutes=row.offset_minutes,
        at=row.local_time,
        useful_minutes=row.useful_minutes,
        spread_minutes=row.spread_minutes,
        category=row.category,
        asks=Asks(row.asks),
        template=row.template,
        only_monitored=row.only_monitored,
        alert_at_most=row.alert_at_most,
        group=group,
        taper=taper,
        follows=row.follows,
        follows_at_most=row.follows_at_most,
        yes_opens=row.yes_opens,
        is_active=row.is_active,
        words=words,
        own=own,
    )


def texts_to_choose(wordings: Wordings) -> list[str]:
    """Templates that a touchpoint could say: those for patients that are no answers, with an English text that leaves."""
    return [
        key
        for key, language in wordings.places
        if language == "en"
        and template_order(key)[0] == 0
        and not key.startswith(("enrol", "verify-", "follow-noted"))
        and not is_for_clinicians(key)
        and wordings.in_force(key, language) is not None
    ]


def read_own(session: Session, agency_id: int, touchpoint_id: int, branch_ids: frozenset[int] | None) -> list[Own]:
    """The patients of these branches (None: of all) who have a touchpoint their own way, at most MOST_OWN."""
    values = {"agency": agency_id, "touchpoint": touchpoint_id, "most": MOST_OWN}
    branches = None if branch_ids is None else sorted(branch_ids)
    return [
        Own(row.patient_id, row.emr_id, row.patient, row.is_off, row.local_time, row.set_at)
        for row in session.execute(_OWN, values | {"branches": branches})
    ]


def read_history(session: Session, agency_id: int, key: str | None = None) -> list[Changed]:
    """The last changes of the programme, or of one touchpoint, newest first."""
    like = "_ touchpoint %" if key is None else f"_ touchpoint {_literal(key)}%"
    rows: Sequence[Any] = session.execute(_HISTORY, {"agency": agency_id, "like": like}).all()
    told = [
        Changed(
            row.at,
            row.who,
            row.action,
            tuple(line for line in map(read_line, row.lines) if line and key in {None, line.key}),
        )
        for row in rows
    ]
    return [changed for changed in told if changed.lines]


def _literal(key: str) -> str:
    return key.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
