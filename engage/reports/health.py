"""How the installation is doing: last ticks and audit, backlog, alerts that wait. Reads only; /readyz, /metrics and doctor show it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from engage.alerts.rules.audit import Finding, sentence
from engage.db import Database

STALE = timedelta(minutes=3)
VERBS = ("plan", "dispatch", "handle", "escalate", "mail", "reconcile", "sweep", "check-rota", "clean")

# A worker that was killed leaves its last ticks behind, so only the newest one of a verb tells whether it works.
_TICKS = text("SELECT DISTINCT ON (verb) verb, ended_at AS at, failed FROM ticks ORDER BY verb, ended_at DESC")
_AUDIT = text("SELECT ran_at, failed_at, findings, repaired, ping_tried_at, pinged_at FROM auditing")
_STOP = text("SELECT reason, http_status, error_code, since FROM sending_stops")
_COUNTS = text("""
SELECT (SELECT count(*) FROM messages WHERE state = 'planned' AND due_at <= :now AND expires_at > :now) AS messages_due,
       (SELECT count(*) FROM messages WHERE state = 'sending') AS messages_sending,
       (SELECT count(*) FROM messages WHERE state = 'unknown') AS messages_unknown,
       (SELECT count(*) FROM messages WHERE state = 'unknown' AND claimed_at < CAST(:now AS timestamptz) - interval '30 minutes') AS messages_unsettled,
       (SELECT count(*) FROM messages WHERE state IN ('failed', 'undelivered') AND reason IN ('bug', 'config_alarm', 'unlisted')
            AND ended_at > CAST(:now AS timestamptz) - interval '24 hours') AS messages_refused,
       (SELECT count(*) FROM replies WHERE state = 'stored') AS replies_waiting,
       (SELECT count(*) FROM unrouted_replies) AS replies_unrouted,
       (SELECT count(*) FROM alerts WHERE state = 'open') AS alerts_open,
       (SELECT count(*) FROM alerts WHERE state = 'acknowledged') AS alerts_acknowledged,
       (SELECT count(*) FROM alerts WHERE state <> 'resolved' AND next_due_at < CAST(:now AS timestamptz) - interval '60 seconds') AS alerts_overdue,
       (SELECT count(*) FROM alerts WHERE state = 'open' AND exhausted_at IS NOT NULL) AS alerts_exhausted
""")


@dataclass(frozen=True, slots=True)
class LastAudit:
    """What the auditor last said. `findings` by their words; without a run so far there is no `seconds_since`."""

    seconds_since: float | None = None
    findings: dict[str, int] = field(default_factory=dict)
    repaired: int = 0
    seconds_since_ping: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the installation; `problems` are sentences, empty when all is well.

    `is_working`: workers tick and audit, and no verb fails. An alert that nobody took is a problem for people, but taking this process
    out of service would only make it worse.
    """

    counts: dict[str, int]
    seconds_since: dict[str, float]
    is_working: bool
    problems: tuple[str, ...]
    audit: LastAudit


def health(db: Database, now: datetime) -> Health:
    """Look at the rows. Raises what the database raises when it does not answer."""
    with db.system_session("health") as session:
        counts = dict(session.execute(_COUNTS, {"now": now}).mappings().one())
        ticks = {row.verb: row for row in session.execute(_TICKS)}
        stop = session.execute(_STOP).first()
        row = session.execute(_AUDIT).first()
    since = {verb: (now - row.at).total_seconds() for verb, row in ticks.items()}
    failing = [verb for verb in VERBS if verb in ticks and ticks[verb].failed]
    stale = [verb for verb in VERBS if since.get(verb, float("inf")) > _allowed(verb).total_seconds()]
    silent = _silent_auditor(row, now)
    return Health(
        counts,
        since,
        not stale and not failing and not silent,
        (*_stopped(stop), *silent, *_problems(stale, failing, counts), *_audited(row)),
        _last_audit(row, now),
    )


def _silent_auditor(row: Row[Any] | None, now: datetime) -> list[str]:
    """Why nobody can say at present whether an alert was forgotten; empty when somebody can."""
    if row is None or (row.ran_at is None and row.failed_at is None):
        return ["The auditor has not run yet: start engage worker."]
    if row.failed_at is not None and (row.ran_at is None or row.failed_at > row.ran_at):
        return ["The last run of the auditor failed: see the worker's log."]
    if now - row.ran_at > STALE:
        minutes = int((now - row.ran_at).total_seconds() // 60)
        return [f"The auditor has not run for {minutes} minutes: is any engage worker running?"]
    return []


def _audited(row: Row[Any] | None) -> list[str]:
    """What the last audit found, without what is counted afresh above; and an outside monitor that does not hear us."""
    if row is None:
        return []
    told = {Finding.OVERDUE, Finding.EXHAUSTED}
    problems = [
        f"The auditor found: {sentence(finding, count)}."
        for finding, count in sorted(row.findings.items())
        if finding not in told
    ]
    if row.ping_tried_at is not None and (row.pinged_at is None or row.pinged_at < row.ping_tried_at):
        problems.append("The outside monitor of ENGAGE_HEARTBEAT_URL did not take the last ping: see the worker's log.")
    return problems


def _last_audit(row: Row[Any] | None, now: datetime) -> LastAudit:
    if row is None:
        return LastAudit()
    return LastAudit(_since(row.ran_at, now), row.findings, row.repaired, _since(row.pinged_at, now))


def _since(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else (now - at).total_seconds()


def _stopped(stop: Row[Any] | None) -> list[str]:
    if stop is None:
        return []
    since = f"{stop.since:%Y-%m-%d %H:%M} UTC"
    if stop.reason == "silent":
        return [f"Nothing is sent since {since}: Twilio does not answer. One text is tried every few minutes."]
    code = f", code {stop.error_code}" if stop.error_code else ""
    check = "Check ENGAGE_TWILIO_ACCOUNT_SID and ENGAGE_TWILIO_AUTH_TOKEN and the account's state at Twilio."
    return [f"Nothing is sent since {since}: Twilio refuses every text (HTTP {stop.http_status}{code}). {check}"]


def _problems(stale: list[str], failing: list[str], counts: dict[str, int]) -> list[str]:
    problems = [f"No worker has run {', '.join(stale)} lately: start engage worker."] if stale else []
    if failing:
        problems.append(f"The last run of {', '.join(failing)} failed: see the worker's log.")
    if counts["alerts_exhausted"]:
        problems.append(
            f"{counts['alerts_exhausted']} alert(s) went up the whole ladder and nobody took them: engage alerts list."
        )
    if counts["alerts_overdue"]:
        problems.append(f"{counts['alerts_overdue']} alert(s) wait for a step that is overdue.")
    if counts["messages_unsettled"]:
        problems.append(
            f"{counts['messages_unsettled']} message(s) may or may not have been sent, for over 30 minutes: Twilio's log cannot be read, see the worker's log."
        )
    if counts["messages_refused"]:
        problems.append(
            f"{counts['messages_refused']} message(s) of the last 24 hours failed for a reason that lies with us or with Twilio's settings: see error_code in docs/reference/reasons.md."
        )
    if counts["replies_unrouted"]:
        problems.append(
            f"{counts['replies_unrouted']} text(s) reached a number that no agency has: engage agency list."
        )
    return problems


def _allowed(verb: str) -> timedelta:
    if verb == "check-rota":  # every quarter of an hour, a week ahead
        return timedelta(minutes=40)
    if verb == "clean":  # once an hour, and nobody waits for it
        return timedelta(hours=6)
    return STALE if verb in {"dispatch", "handle", "escalate"} else timedelta(minutes=15)
