"""Founds an agency: a few facts in, every row it needs to text its first patient out, in one transaction or none."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engage.agencies.model import Agency, AuditEvent, Branch, Sender
from engage.agencies.rules.people import Purpose
from engage.alerts.model import AlertRule, Ladder, LadderStep
from engage.db import Database
from engage.errors import BadInput
from engage.onboarding.programme import Programme, load_programme
from engage.outreach.model import Template, Touchpoint
from engage.sms.rules.phones import PhoneNumber, parse_phone


@dataclass(frozen=True, slots=True)
class NewAgency:
    """What must be known of an agency: phones in any usual form, the zone by its IANA name (America/Chicago)."""

    slug: str
    name: str
    phone: str
    time_zone: str
    sender_phone: str
    pages_phone: str | None = None
    short_name: str | None = None
    line: str = "home_health"


def found_agency(db: Database, new: NewAgency, config_dir: Path, now: datetime) -> int:
    """Create the agency with one branch, its senders and the default programme; returns its id.

    Raises BadInput for a slug, zone or number that cannot be used or is taken; ConfigurationError for a bad config folder.
    """
    programme = load_programme(config_dir)
    agency = _checked(new)
    for name, value in programme.agency.items():
        setattr(agency, name, value)
    agency.created_at = now
    with db.system_session("found an agency") as session:
        _refuse_taken(session, new, agency)
        session.add(agency)
        session.flush()
        session.add(
            Branch(agency_id=agency.id, emr_id="main", name="Main", time_zone=agency.time_zone, phone=agency.phone)
        )
        senders = {Purpose.PATIENTS: new.sender_phone, Purpose.PAGES: new.pages_phone}
        for purpose, raw in senders.items():
            if raw is not None:
                session.add(
                    Sender(agency_id=agency.id, purpose=purpose, phone=_phone(raw, f"the number for {purpose}"))
                )
        _install(session, agency.id, programme, now)
        session.add(
            AuditEvent(agency_id=agency.id, at=now, actor="engage agency add", action="found", subject="agency")
        )
        return agency.id


def _checked(new: NewAgency) -> Agency:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,39}", new.slug):
        raise BadInput(
            f"The agency's short id {new.slug!r} must be 2 to 40 small letters, digits and hyphens, e.g. sunrise-hh."
        )
    try:
        ZoneInfo(new.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(f"There is no time zone {new.time_zone!r}: use an IANA name such as America/Chicago.") from None
    if new.line not in {"home_health", "hospice"}:
        raise BadInput(f"The line of care {new.line!r} must be home_health or hospice.")
    return Agency(
        slug=new.slug,
        name=new.name,
        short_name=new.short_name or new.name,
        line=new.line,
        phone=_phone(new.phone, "the office number"),
        time_zone=new.time_zone,
    )


def _phone(raw: str, which: str) -> str:
    parsed = parse_phone(raw)
    if not isinstance(parsed, PhoneNumber):
        raise BadInput(f"{which[:1].upper()}{which[1:]} {raw!r} cannot be used: {parsed.says}")
    return parsed.e164


def _refuse_taken(session: Session, new: NewAgency, agency: Agency) -> None:
    if session.scalar(select(func.count()).select_from(Agency).where(Agency.slug == agency.slug)):
        raise BadInput(f"There is an agency {new.slug!r} already: choose another short id.")
    numbers = [_phone(raw, "the sender") for raw in (new.sender_phone, new.pages_phone) if raw]
    if len(set(numbers)) < len(numbers):
        raise BadInput(
            "Pages need a number of their own: leave --pages-number out to send them from the patients' number."
        )
    taken = session.scalars(select(Sender.phone).where(Sender.phone.in_(numbers))).first()
    if taken:
        raise BadInput(f"The number {taken} belongs to another agency already; a sender serves one agency.")


def _install(session: Session, agency_id: int, programme: Programme, now: datetime) -> None:
    session.add_all(Touchpoint(agency_id=agency_id, **entry) for entry in programme.touchpoints)
    for wording in programme.wordings:
        reviewed_at = datetime.combine(wording.reviewed_on, time(), UTC) if wording.reviewed_on else None
        session.add_all(
            Template(
                agency_id=agency_id,
                key=key,
                language=wording.language,
                version=1,
                wording=text,
                written_by="Engage",
                written_at=now,
                reviewed_by=wording.reviewed_by,
                reviewed_at=reviewed_at if wording.reviewed_by else None,
            )
            for key, text in wording.templates.items()
        )
    ladders = {}
    for plan in programme.ladders:
        ladder = ladders[plan.key] = Ladder(agency_id=agency_id, key=plan.key, rounds=plan.rounds)
        session.add(ladder)
        session.flush()
        session.add_all(
            LadderStep(agency_id=agency_id, ladder_id=ladder.id, position=position, who=who, wait_minutes=minutes)
            for position, (who, minutes) in enumerate(plan.steps, start=1)
        )
    session.add_all(
        AlertRule(
            agency_id=agency_id,
            kind=kind,
            severity=rule["severity"],
            ladder_id=ladders[rule["ladder"]].id,
            acknowledged_minutes=rule["acknowledged_minutes"],
        )
        for kind, rule in programme.alerts.items()
    )
