"""Checks rotas: holes ahead, people on call whom nobody can page, steps with nobody behind them. Alerts and sentences out.

One alert a branch, kept up to date while it is open and resolved by itself when the rota is whole. Sends nothing.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage import log
from engage.agencies.rota import Crew, load_crew
from engage.agencies.rules.people import Role
from engage.alerts.ladders import WholeLadder, every_ladder
from engage.alerts.model import Alert, AlertEvent
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.ladder import Step
from engage.alerts.rules.troubles import Trouble, TroubleKind
from engage.alerts.rules.words import AlertKind, AlertState, EventKind, Outcome, Who
from engage.alerts.unreachable import tell_unreachable
from engage.db import Database

AHEAD = timedelta(days=14)
"""How far a saved rota is looked at."""
TOLD_AHEAD = timedelta(days=7)
"""A hole that begins later opens no alert yet."""
MOST_HOLES = 5
"""So many holes of a branch are told one by one."""
SOON = timedelta(hours=24)
"""A hole that was told, and resolved by a person without being mended, is told once more this long before it begins."""

# An agency that keeps no rota at all is told so by engage doctor; it needs no alert every minute of its life.
_BRANCHES = text("""
SELECT DISTINCT p.agency_id, p.branch_id FROM patients p JOIN agencies g ON g.id = p.agency_id AND g.is_active
WHERE p.status = 'active' AND EXISTS (SELECT FROM shifts s WHERE s.agency_id = p.agency_id AND s.duty = 'on_call')
ORDER BY 1, 2
""")
_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtextextended('engage rota', :agency))")
_LAST = text("""
SELECT a.id, a.state, a.resolved_by,
       (SELECT e.detail ->> 'rota' FROM alert_events e WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.detail ? 'rota'
        ORDER BY e.id DESC LIMIT 1) AS told,
       EXISTS (SELECT FROM alert_events e WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.detail ? 'alert') AS has_more
FROM alerts a WHERE a.agency_id = :agency AND a.kind = :kind AND a.branch_id = :branch AND a.patient_id IS NULL
ORDER BY a.state = 'resolved', a.id DESC LIMIT 1
""")


@dataclass(slots=True)
class RotaChecked:
    """What one run did to alerts, and how many exhausted alerts were told as having reached nobody."""

    opened: int = 0
    updated: int = 0
    resolved: int = 0
    unreachable: int = 0


def check_rota(db: Database, now: datetime) -> RotaChecked:
    """Open, update or resolve the alerts about rotas of every active agency that keeps one; idempotent.

    A transaction an agency; costs some milliseconds for each branch, so a quarter of an hour between two runs is enough.
    """
    done = RotaChecked()
    branches: dict[int, list[int]] = {}
    with db.system_session("check rotas") as session:
        for agency_id, branch_id in session.execute(_BRANCHES):
            branches.setdefault(agency_id, []).append(branch_id)
    for agency_id, own in branches.items():
        try:
            with db.system_session("check rotas") as session:
                if session.scalar(_ALONE, {"agency": agency_id}):
                    crew = load_crew(session, agency_id, now)
                    for branch_id in own:
                        _settle(
                            session,
                            agency_id,
                            branch_id,
                            AlertKind.ROTA_GAP,
                            _hole_told(crew, branch_id, now),
                            now,
                            done,
                        )
                        told = _unreachable_told(crew, branch_id, now)
                        _settle(session, agency_id, branch_id, AlertKind.NURSE_UNREACHABLE, told, now, done)
        except Exception:  # noqa: BLE001 - one agency's broken rota must not hide the holes of the others
            log.get().exception("a rota cannot be checked", agency=agency_id)
    done.unreachable = tell_unreachable(db, now)
    return done


def _hole_told(crew: Crew, branch_id: int, now: datetime) -> str | None:
    """What is said of the first hole ahead; it stays the same from minute to minute."""
    holes = crew.rota.holes(branch_id, crew.reachable(now), now, now + TOLD_AHEAD)
    if not holes:
        return None
    begins = "" if holes[0].starts <= now else holes[0].starts.isoformat()
    ends = holes[0].ends.isoformat() if holes[0].ends else ""
    return f"{begins}/{ends}{' soon' if holes[0].starts <= now + SOON else ''}"


def _unreachable_told(crew: Crew, branch_id: int, now: datetime) -> str | None:
    expected = crew.rota.expected(branch_id, now, now + TOLD_AHEAD)
    lost = [person for person in sorted(expected) if crew.why_unreachable(person, now) is not None]
    return ",".join(map(str, lost)) or None


def _settle(
    session: Session,
    agency_id: int,
    branch_id: int,
    kind: AlertKind,
    told: str | None,
    now: datetime,
    done: RotaChecked,
) -> None:
    last = session.execute(_LAST, {"agency": agency_id, "kind": kind, "branch": branch_id}).one_or_none()
    is_unresolved = last is not None and last.state != AlertState.RESOLVED
    if told is None:
        if last is not None and is_unresolved and last.told is not None and not last.has_more:
            _resolve(session, agency_id, last.id, now)
            done.resolved += 1
        return
    is_known = last is not None and last.told == told
    if is_known and (is_unresolved or (last is not None and last.resolved_by is not None)):
        return
    open_alert(session, Reason(kind, agency_id, branch_id=branch_id, detail={"rota": told}), now)
    if is_unresolved:
        done.updated += 1
    else:
        done.opened += 1


def _resolve(session: Session, agency_id: int, alert_id: int, now: datetime) -> None:
    alert = session.get_one(Alert, (agency_id, alert_id), with_for_update=True, populate_existing=True)
    if alert.state == AlertState.RESOLVED:
        return
    alert.state, alert.resolved_at, alert.next_due_at = AlertState.RESOLVED, now, None
    alert.outcome = Outcome.NOTHING_NEEDED
    detail = {"by": "the rota is whole again"}
    session.add(AlertEvent(agency_id=agency_id, alert_id=alert_id, at=now, kind=EventKind.RESOLVED, detail=detail))


# --- what a person who changes a rota is told ---------------------------------------------------------------------------


def problems(session: Session, agency_id: int, crew: Crew, now: datetime) -> list[str]:
    """Sentences about what is wrong with an agency's rota in the next 14 days, branch by branch; none is what we want."""
    return [trouble.says for trouble in troubles(session, agency_id, crew, now)]


def troubles(session: Session, agency_id: int, crew: Crew, now: datetime) -> list[Trouble]:
    """What is wrong with an agency's rota in the next 14 days, branch by branch."""
    ladders = every_ladder(session, agency_id)
    able = crew.reachable(now)
    found: list[Trouble] = []
    for branch_id, name in crew.branches.items():
        place = (branch_id, name, crew.rota.zone_of(branch_id))
        holes = crew.rota.holes(branch_id, able, now, now + AHEAD)
        found += [Trouble(TroubleKind.HOLE, *place, starts=hole.starts, ends=hole.ends) for hole in holes[:MOST_HOLES]]
        if len(holes) > MOST_HOLES:
            found.append(Trouble(TroubleKind.MORE_HOLES, *place, count=len(holes) - MOST_HOLES))
        expected = crew.rota.expected(branch_id, now, now + AHEAD)
        for person in sorted(expected):
            if (why := crew.why_unreachable(person, now)) is not None:
                who = crew.people[person]
                named = f"{who.first_name} {who.last_name}"
                found.append(Trouble(TroubleKind.UNREACHABLE, *place, person=named, why=why))
        found += _empty_steps(ladders, place, crew, expected & able, able)
    return found


def _empty_steps(
    ladders: Sequence[WholeLadder],
    place: tuple[int, str, str],
    crew: Crew,
    expected: Collection[int],
    able: Collection[int],
) -> Iterator[Trouble]:
    """The steps of a branch's ladders that nobody stands behind; `expected` are those of its rota who can be paged."""
    own = {ladder.key: ladder for ladder in ladders if ladder.branch_id == place[0]}
    for general in (ladder for ladder in ladders if ladder.branch_id is None):
        for position, step in enumerate(own.get(general.key, general).steps, start=1):
            if not _has_somebody(step, place[0], crew, expected, able):
                step_of = {"ladder": general.key, "position": position, "who": step.who, "discipline": step.discipline}
                yield Trouble(TroubleKind.EMPTY_STEP, *place, **step_of)  # type: ignore[arg-type]


def _has_somebody(step: Step, branch_id: int, crew: Crew, expected: Collection[int], able: Collection[int]) -> bool:
    match step.who:
        case Who.PERSON:
            return step.person in able
        case Who.SCHEDULER | Who.SUPERVISOR:
            role = Role(step.who)
            return any(
                k.role == role and k.id in able and k.branch_id in {None, branch_id} for k in crew.people.values()
            )
        case Who.ON_CALL if step.discipline is not None:
            return any(crew.people[person].discipline == step.discipline for person in expected)
        case _:
            return True  # holes are told by themselves, and a patient's nurse is the patient's matter
