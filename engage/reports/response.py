"""How long people were waited for: the alerts of the last day in, times to page, to acknowledge and to resolve out. Reads only.

An alert that still waits counts with the time it has waited, so that the slowest is seen while it is slow and not afterwards.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from engage.alerts.rules.words import Severity
from engage.db import Database

WINDOW = timedelta(hours=24)
QUANTILES = (0.5, 0.9, 1.0)

# Whoever resolves an alert that nobody had taken has acknowledged it; one that was over before its first page needed none.
_TIMES = text("""
WITH recent AS (
    SELECT a.severity, a.opened_at, first.paged_at, a.resolved_at, LEAST(first.acknowledged_at, a.resolved_at) AS acknowledged_at
    FROM alerts a
    LEFT JOIN LATERAL (
        SELECT min(e.at) FILTER (WHERE e.kind = 'paged') AS paged_at, min(e.at) FILTER (WHERE e.kind = 'acknowledged') AS acknowledged_at
        FROM alert_events e WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.kind IN ('paged', 'acknowledged')) first ON true
    WHERE a.opened_at > :since AND a.opened_at <= :now
), waits AS (
    SELECT severity, step, EXTRACT(epoch FROM until - opened_at)::float AS seconds
    FROM recent, LATERAL (VALUES
        ('page', CASE WHEN acknowledged_at IS NULL THEN COALESCE(paged_at, :now) ELSE paged_at END),
        ('acknowledge', COALESCE(acknowledged_at, :now)),
        ('resolve', COALESCE(resolved_at, :now))) AS v(step, until)
    WHERE until IS NOT NULL
)
SELECT step, severity, count(*) AS many, percentile_disc(CAST(:quantiles AS float[])) WITHIN GROUP (ORDER BY seconds) AS seconds
FROM waits GROUP BY step, severity ORDER BY step, severity
""")


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds from the opening of alerts of one severity to a step ("page", "acknowledge", "resolve"), by quantile."""

    step: str
    severity: Severity
    count: int
    seconds: dict[float, float]


def waits(db: Database, now: datetime, window: timedelta = WINDOW) -> list[Wait]:
    """The waits of the alerts opened within `window` before `now`; a severity without alerts is left out."""
    values = {"now": now, "since": now - window, "quantiles": list(QUANTILES)}
    with db.system_session("response times") as session:
        rows = session.execute(_TIMES, values).all()
    return [
        Wait(row.step, Severity(row.severity), row.many, dict(zip(QUANTILES, row.seconds, strict=True))) for row in rows
    ]
