"""What the pages of ladders and rota show beside their rows: how each kind of alert is treated, who changed what. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.alerts.rules.words import AlertKind

_RULES = text("""
SELECT r.kind, r.severity, l.key AS ladder, r.acknowledged_minutes, r.takers
FROM alert_rules r JOIN ladders l ON l.agency_id = r.agency_id AND l.id = r.ladder_id
WHERE r.agency_id = :agency ORDER BY r.severity DESC, r.kind
""")
_CHANGES = text("""
SELECT e.at, COALESCE(a.name, e.actor) AS who, e.action, e.detail ->> 'said' AS said
FROM audit_events e LEFT JOIN accounts a ON a.agency_id = e.agency_id AND e.actor = 'account:' || a.id
WHERE e.agency_id = :agency AND e.subject = :subject ORDER BY e.id DESC LIMIT 20
""")


@dataclass(frozen=True, slots=True)
class ShownRule:
    """How a kind of alert is treated; `takers`: so many must take it."""

    kind: AlertKind
    severity: int
    ladder: str
    acknowledged_minutes: int
    takers: int


@dataclass(frozen=True, slots=True)
class Said:
    """Who changed what, in a line."""

    at: datetime
    who: str
    action: str
    said: str


def read_rules(session: Session, agency_id: int) -> list[ShownRule]:
    """Every kind of alert, worst first."""
    return [
        ShownRule(AlertKind(row.kind), row.severity, row.ladder, row.acknowledged_minutes, row.takers)
        for row in session.execute(_RULES, {"agency": agency_id})
    ]


def read_changes(session: Session, agency_id: int, subject: str) -> Sequence[Said]:
    """The last changes of ladders and rules ("ladder") or of the rota ("rota"), newest first."""
    rows = session.execute(_CHANGES, {"agency": agency_id, "subject": subject})
    return [Said(row.at, row.who, row.action, row.said or "") for row in rows]


def kinds_of(rules: Sequence[ShownRule]) -> Mapping[str, list[AlertKind]]:
    """The kinds of alert that each ladder has, by its key."""
    found: dict[str, list[AlertKind]] = {}
    for rule in rules:
        found.setdefault(rule.ladder, []).append(rule.kind)
    return found
