"""Keeps a score for one patient, says which one counts, and opens an alert for what the scores say over days.

In the caller's transaction, so that a score and what follows from it are there together. Old scores are never changed or removed.
"""

from collections.abc import Sequence
from datetime import datetime
from json import dumps

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.replies.asked import Member
from engage.replies.interpret import Meaning
from engage.replies.model import Reply
from engage.replies.rules.decide import StoreScore
from engage.replies.rules.trends import LOOKS_BACK, find_trend, is_muted

CHECKIN_SCALE = 5

_STORE = text("""
INSERT INTO scores (agency_id, patient_id, reply_id, message_id, contact_id, relationship, scale, value, given_at)
VALUES (:agency, :patient, :reply, :message, :contact, :relationship, :scale, :value, :given)
ON CONFLICT (agency_id, reply_id, patient_id, scale) DO NOTHING
""")
# The last one given counts, whichever was handled last.
_COUNT_THE_LAST = text("""
UPDATE scores s SET superseded_by = last.reply_id
FROM (SELECT id, reply_id FROM scores WHERE agency_id = :agency AND message_id = :message AND patient_id = :patient
      ORDER BY given_at DESC, reply_id DESC LIMIT 1) last
WHERE s.agency_id = :agency AND s.message_id = :message AND s.patient_id = :patient AND s.id <> last.id
  AND s.superseded_by IS DISTINCT FROM last.reply_id
RETURNING s.reply_id
""")
_BEFORE = text("""
SELECT value FROM scores
WHERE agency_id = :agency AND patient_id = :patient AND scale = 5 AND superseded_by IS NULL AND message_id <> :message
  AND given_at > :since AND given_at <= :given
ORDER BY given_at, id
""")
# Whoever was called because of the first number sees the second one.
_EVIDENCE = text("""
INSERT INTO alert_events (agency_id, alert_id, at, kind, reply_id, detail)
SELECT agency_id, id, :now, 'evidence', :reply, CAST(:detail AS jsonb) FROM alerts
WHERE agency_id = :agency AND reply_id = ANY(:because) AND state <> 'resolved' AND kind IN ('low_score', 'low_survey', 'drop')
  AND CASE WHEN :is_theirs THEN patient_id = ANY(:patients) ELSE NOT patient_id = ANY(:patients) END
""")


def store_score(
    session: Session, reply: Reply, meaning: Meaning, member: Member, action: StoreScore, *, is_low: bool, now: datetime
) -> None:
    """Store `action`'s number for `member`; one given before to the same question stays, and counts no more.

    `is_low`: an alert for the number itself is opened anyway, so that a fall to it needs none of its own.
    """
    if meaning.question is None:
        raise AssertionError("a score answers a question")
    pending = meaning.pending
    values = {
        "agency": reply.agency_id,
        "patient": member.patient_id,
        "reply": pending.reply_id if pending else reply.id,
        "message": meaning.question.message_id,
        "contact": member.contact_id,
        "relationship": member.relationship,
        "scale": action.scale,
        "value": action.value,
        "given": pending.given_at if pending else reply.received_at,
    }
    session.execute(_STORE, values)
    former = session.execute(_COUNT_THE_LAST, values).scalars().all()
    if former and values["reply"] not in former:
        _add_evidence(session, reply.agency_id, former, [member], reply.id, {"why": "corrected"}, now)
    if action.scale == CHECKIN_SCALE and not is_low and values["reply"] not in former:
        _follow_trend(session, reply, member, values, action.value, now)


def _follow_trend(
    session: Session, reply: Reply, member: Member, values: dict[str, object], score: int, now: datetime
) -> None:
    if is_muted(score, member.thresholds, now):
        return
    since = reply.received_at - LOOKS_BACK
    before = session.execute(_BEFORE, {**values, "since": since}).scalars().all()
    trend = find_trend(score, before, member.thresholds)
    if trend is not None:
        reason = Reason(
            AlertKind.DROP,
            reply.agency_id,
            member.patient_id,
            member.contact_id,
            reply.id,
            detail={"trend": str(trend)},
        )
        open_alert(session, reason, now)


def tell_others_of_name(
    session: Session, agency_id: int, because: int, named: Sequence[Member], reply_id: int, now: datetime
) -> None:
    """Say on the alerts that a score without a name opened for the others on the phone that it was not theirs.

    They stay open: a person closes them.
    """
    _add_evidence(session, agency_id, [because], named, reply_id, {"why": "another patient was named"}, now, False)


def _add_evidence(
    session: Session,
    agency_id: int,
    because: Sequence[int],
    members: Sequence[Member],
    reply_id: int,
    detail: dict[str, str],
    now: datetime,
    is_theirs: bool = True,
) -> None:
    values = {
        "agency": agency_id,
        "because": list(because),
        "patients": [member.patient_id for member in members],
        "is_theirs": is_theirs,
        "reply": reply_id,
        "detail": dumps(detail),
        "now": now,
    }
    session.execute(_EVIDENCE, values)
