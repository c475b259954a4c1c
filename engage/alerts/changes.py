"""What changes of ladders and rotas share: who makes them, their place in the audit, and what is wrong once they are made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from engage.agencies.model import AuditEvent
from engage.agencies.rota import load_crew
from engage.alerts.rota import problems


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change, when, and what the audit keeps beside it (from where)."""

    agency_id: int
    actor: str
    now: datetime
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed:
    """What was changed, in a line, and sentences about what is wrong with the rota and the ladders now."""

    said: str
    problems: tuple[str, ...] = ()


def problems_now(session: Session, by: Author) -> tuple[str, ...]:
    """What is wrong in the next 14 days, as the rows are in this transaction."""
    session.flush()
    return tuple(problems(session, by.agency_id, load_crew(session, by.agency_id, by.now), by.now))


def record(session: Session, by: Author, subject: str, action: str, said: str) -> None:
    """Put on record who changed what."""
    event = {"actor": by.actor, "action": action, "subject": subject, "detail": {**by.detail, "said": said}}
    session.add(AuditEvent(agency_id=by.agency_id, at=by.now, **event))
