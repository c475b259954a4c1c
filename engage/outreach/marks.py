"""What Twilio tells about a phone: it is a landline, it reaches nobody, or its owner has opted out. Rows only."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.patients.rules.words import PhoneKind
from engage.sms.rules.codes import NumberMark

_KIND = {
    NumberMark.LANDLINE: PhoneKind.LANDLINE,
    NumberMark.INVALID: PhoneKind.UNREACHABLE,
    NumberMark.UNREACHABLE: PhoneKind.UNREACHABLE,
}


def mark_number(session: Session, agency_id: int, contact_id: int | None, mark: NumberMark) -> None:
    """Remember that texts do not reach this contact's phone; whoever else has the number in this agency is marked too."""
    if contact_id is None:
        return
    session.execute(
        text(
            "UPDATE contacts SET phone_kind = :kind WHERE agency_id = :agency AND phone_hash ="
            " (SELECT phone_hash FROM contacts WHERE agency_id = :agency AND id = :contact)"
        ),
        {"kind": _KIND[mark], "agency": agency_id, "contact": contact_id},
    )


OUT_FOR = timedelta(days=2)
"""A phone that was off for an afternoon is fine again tomorrow; one that no text has reached for so long is not."""


def mark_if_out_for_days(
    session: Session, agency_id: int, contact_id: int | None, code: int | None, now: datetime
) -> None:
    """Mark this contact's phone as out of reach, if texts have failed with `code` for OUT_FOR and none arrived since."""
    session.execute(
        text("""
        UPDATE contacts c SET phone_kind = 'unreachable'
        WHERE c.agency_id = :agency AND c.phone_kind IN ('unknown', 'mobile')
          AND c.phone_hash = (SELECT phone_hash FROM contacts WHERE agency_id = :agency AND id = :contact)
          AND EXISTS (
            SELECT FROM messages m
            WHERE m.agency_id = :agency AND m.contact_id = :contact AND m.error_code = :code AND m.ended_at < :since
              AND NOT EXISTS (SELECT FROM messages d WHERE d.agency_id = :agency AND d.contact_id = :contact
                              AND d.state = 'delivered' AND d.ended_at > m.ended_at))
        """),
        {"agency": agency_id, "contact": contact_id, "code": code, "since": now - OUT_FOR},
    )


def mark_opt_out(
    session: Session, agency_id: int, contact_id: int | None, clinician_id: int | None, now: datetime
) -> None:
    """Record an opt-out that only Twilio knew of; once, while it stands."""
    if clinician_id is not None:
        session.execute(
            text(
                "UPDATE clinicians SET texts_stopped_at = COALESCE(texts_stopped_at, :now) WHERE agency_id = :agency AND id = :id"
            ),
            {"now": now, "agency": agency_id, "id": clinician_id},
        )
    if contact_id is not None:
        session.execute(
            text("""
            INSERT INTO consent_events (agency_id, phone_hash, kind, source, said_at, recorded_at)
            SELECT c.agency_id, c.phone_hash, 'opted_out', 'provider', :now, :now FROM contacts c
            WHERE c.agency_id = :agency AND c.id = :contact AND COALESCE((
                SELECT e.kind FROM consent_events e
                WHERE e.agency_id = c.agency_id AND e.phone_hash = c.phone_hash AND e.contact_id IS NULL
                ORDER BY e.said_at DESC, e.id DESC LIMIT 1), 'none') <> 'opted_out'
            """),
            {"agency": agency_id, "contact": contact_id, "now": now},
        )
