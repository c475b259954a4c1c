"""What the climbing of alerts depends on, for all that climb at once: alerts in, facts out. One query for any number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.alerts.model import Alert
from engage.alerts.rules.words import AlertKind
from engage.alerts.taking import PASSERS, TAKERS

# Visitors are those who come on the visit nearest to now. Concerned are, where somebody complains of somebody, the clinicians of
# the visit: the one that a survey asked about, else those of today and of the last day before; and whoever opened a patient
# outside of their branches, who is not the one to look at it.
_FACTS = text(
    """
SELECT a.id, p.branch_id, p.case_manager_id, ARRAY({takers}) AS takers, ARRAY({passers}) AS passers,
       ARRAY(SELECT vc.clinician_id FROM visits v
             JOIN visit_clinicians vc ON vc.agency_id = v.agency_id AND vc.visit_id = v.id
             WHERE v.agency_id = a.agency_id AND v.patient_id = a.patient_id AND v.status <> 'cancelled'
             ORDER BY abs(v.starts_on - today.day), v.id, vc.clinician_id LIMIT 4) AS visitors,
       CASE WHEN a.kind = 'patient_opened' THEN ARRAY(
           SELECT CAST(e.detail ->> 'by' AS bigint) FROM alert_events e
           WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.kind IN ('opened', 'evidence') AND e.detail ->> 'by' IS NOT NULL
       ) WHEN a.kind = ANY(:about_somebody) THEN ARRAY(
           WITH asked AS (
               SELECT m.visit_id FROM alert_events e
               JOIN readings r ON r.agency_id = e.agency_id AND r.reply_id = e.reply_id
               JOIN messages m ON m.agency_id = r.agency_id AND m.id = r.asked_message_id
               WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND m.visit_id IS NOT NULL
           ), near AS (
               SELECT v.id FROM visits v
               WHERE NOT EXISTS (SELECT FROM asked) AND v.agency_id = a.agency_id AND v.patient_id = a.patient_id
                 AND v.status <> 'cancelled' AND (v.starts_on = today.day OR v.starts_on = (
                     SELECT max(o.starts_on) FROM visits o
                     WHERE o.agency_id = a.agency_id AND o.patient_id = a.patient_id AND o.status <> 'cancelled'
                       AND o.starts_on < today.day))
           )
           SELECT DISTINCT vc.clinician_id FROM visit_clinicians vc
           WHERE vc.agency_id = a.agency_id AND vc.visit_id IN (SELECT visit_id FROM asked UNION SELECT id FROM near)
       ) END AS concerned
FROM alerts a
LEFT JOIN patients p ON p.agency_id = a.agency_id AND p.id = a.patient_id
CROSS JOIN LATERAL (SELECT (CAST(:now AS timestamptz) AT TIME ZONE p.time_zone)::date AS day) AS today
WHERE a.id = ANY(:alerts)
""".replace("{takers}", TAKERS).replace("{passers}", PASSERS)
)
_ABOUT_SOMEBODY = [str(kind) for kind in (AlertKind.COMPLAINT, AlertKind.LOW_SURVEY)]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known around an alert; clinicians by id.

    `branch_id`: the patient's, else the alert's own. `nurses`: the case manager, then those of the nearest visits.
    `concerned`: about whom the complaint or the opening is. `takers`: who has it since it was last open. `passers`: who has said "not me" in
    this round.
    """

    branch_id: int | None
    nurses: tuple[int, ...]
    concerned: frozenset[int]
    takers: frozenset[int]
    passers: frozenset[int]


def gather(session: Session, alerts: Iterable[Alert], now: datetime) -> Mapping[int, Facts]:
    """The facts of these alerts by their id."""
    own = {alert.id: alert for alert in alerts}
    rows = session.execute(_FACTS, {"alerts": list(own), "now": now, "about_somebody": _ABOUT_SOMEBODY})
    return {
        row.id: Facts(
            branch_id=own[row.id].branch_id if own[row.id].patient_id is None else row.branch_id,
            nurses=tuple(dict.fromkeys(nurse for nurse in (row.case_manager_id, *row.visitors) if nurse is not None)),
            concerned=frozenset(row.concerned or ()),
            takers=frozenset(row.takers),
            passers=frozenset(row.passers),
        )
        for row in rows
    }
