"""A Sunday at Sunrise for the pages to show: alerts of every speed, a conversation, scores, visits, messages. Invented people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from engage.agencies.rules.people import AccountRole
from engage.alerts.rules.words import AlertKind
from engage.console.sessions import begin
from engage.db import encryption
from engage.onboarding.book import load_book
from engage.onboarding.wordings import save_wording
from engage.visits.model import Visit
from tests.cast import Cast
from tests.flows.alerts.ward import Ward
from tests.flows.console.conftest import add_account
from tests.flows.console.shelf import Shelf

SCORES = (4, 4, 5, 3, 4, 4, 3, 4, 5, 4, 4, 3, 4)


@dataclass(frozen=True)
class House:
    """What the pages are about."""

    visit: int
    text: int
    failed: int


def fill(cast: Cast, now: datetime) -> House:
    """Fill the agency as a busy day would; `now` is about noon of a Sunday."""
    ward, shelf = Ward(cast), Shelf(cast)
    for days, value in enumerate(reversed(SCORES), 1):
        shelf.scored(now - timedelta(days=days, hours=3), value)
    asked = shelf.asked(
        now - timedelta(hours=1),
        "Sunrise: Good morning Rose. How do you feel today compared to yesterday? Reply 1 (much worse) to 5 (much better).",
    )
    said = shelf.said(
        now - timedelta(minutes=50),
        "2 my leg is swollen again and I could not sleep, also the pills make me dizzy",
        (("score", "2"), ("symptom", "leg is swollen"), ("symptom", "dizzy")),
        asked=asked,
        score=2,
    )
    shelf.asked(now - timedelta(minutes=49), "Sunrise: Thank you, Rose. A nurse will call you within the hour.")
    held = _texts_that_did_not_leave(shelf, now)
    chest = shelf.said(
        now - timedelta(minutes=9),
        "me duele mucho el pecho",
        (("urgent", "duele mucho el pecho"),),
        contact=cast.marta_contact,
    )
    shelf.said(now - timedelta(minutes=70), "blorp fnord", (("unclear", "blorp fnord"),), contact=cast.marta_contact)
    done = ward.opens(AlertKind.SILENCE, now - timedelta(days=2))
    ward.resolved_by(cast.ana, done, now - timedelta(days=2) + timedelta(minutes=12))
    low = ward.opens(AlertKind.LOW_SCORE, now - timedelta(minutes=50), reply=said)
    ward.opens(AlertKind.URGENT, now - timedelta(minutes=9), patient=cast.marta, reply=chest)
    wish = ward.opens(AlertKind.RESCHEDULE, now - timedelta(minutes=90))
    gap = ward.opens(AlertKind.ROTA_GAP, now - timedelta(hours=5), branch=cast.branch)
    ward.sql("UPDATE alerts SET exhausted_at = :n, next_due_at = NULL WHERE id = :i", n=now, i=gap)
    due = {"n": now + timedelta(minutes=7), "p": now - timedelta(minutes=3), "i": low}
    ward.sql("UPDATE alerts SET next_due_at = :n, promised_until = :p WHERE id = :i", **due)
    ward.taken_by(cast.sue, wish, now - timedelta(minutes=80))
    draft(cast, now)
    _programme_and_rota(cast, ward, now)
    return House(visit=_visits(cast, now), text=held, failed=_failed(shelf, now))


def _programme_and_rota(cast: Cast, ward: Ward, now: datetime) -> None:
    """A denser first fortnight for some, a question after a low score, Rose at her own hour; nights with the fallback, one with nobody."""
    own = {"a": cast.id, "now": now}
    ward.sql("UPDATE touchpoints SET for_whom = '{\"tags\": [\"chf\"]}', taper = '[{\"until_day\": 15}, {\"days\": [\"mon\", \"thu\"]}]' WHERE key = 'evening-checkin' AND agency_id = :a", a=cast.id)  # fmt: skip
    ward.sql("INSERT INTO touchpoints (agency_id, key, anchor, offset_minutes, useful_minutes, category, priority, template, asks, follows, follows_at_most, yes_opens) SELECT agency_id, 'breath', 'score', 0, 120, 'checkins', 4, 'morning-checkin', 'yes_no', 'morning-checkin', 2, 'urgent' FROM (SELECT CAST(:a AS bigint) AS agency_id) AS one", a=cast.id)  # fmt: skip
    ward.sql("INSERT INTO programme_overrides (agency_id, patient_id, touchpoint_id, is_off, local_time, set_by, set_at) SELECT :a, :p, id, false, '10:30', 'test', :now FROM touchpoints WHERE key = 'morning-checkin' AND agency_id = :a", p=cast.rose, **own)  # fmt: skip
    ward.sql("UPDATE shifts SET starts = '17:00', ends = '08:00' WHERE agency_id = :a", a=cast.id)
    ward.sql("INSERT INTO shifts (agency_id, branch_id, clinician_id, weekdays, starts, ends) VALUES (:a, :b, :k, '{0,1,2,3,4}', '08:00', '17:00')", a=cast.id, b=cast.branch, k=cast.ana)  # fmt: skip
    ward.sql("INSERT INTO shifts (agency_id, clinician_id, weekdays, starts, ends, duty) VALUES (:a, :k, '{5}', '08:00', '17:00', 'fallback')", a=cast.id, k=cast.sue)  # fmt: skip
    ward.sql("INSERT INTO shift_changes (agency_id, kind, clinician_id, instead_id, starts_local, ends_local) VALUES (:a, 'replace', :b, :k, '2026-11-26 17:00', '2026-11-27 08:00')", a=cast.id, b=cast.ben, k=cast.sue)  # fmt: skip
    ward.sql("INSERT INTO holidays (agency_id, day_on) VALUES (:a, '2026-11-26')", a=cast.id)
    ward.sql("UPDATE ladder_steps s SET hours_after = '07:00', hours_until = '22:00' FROM ladders l WHERE l.id = s.ladder_id AND l.agency_id = :a AND s.agency_id = :a AND l.key = 'nurse' AND s.position = 3", a=cast.id)  # fmt: skip


def _texts_that_did_not_leave(shelf: Shelf, now: datetime) -> int:
    never = {"sid": None, "claimed_at": None, "accepted_at": None}
    shelf.asked(now - timedelta(minutes=20), "Survey", state="suppressed", reason="daily_cap", **never)
    day = now.date().isoformat()  # a planned text is planned anew by the dry run, so it must be about a day
    return shelf.asked(
        now + timedelta(hours=6),
        "",
        state="planned",
        reason="quiet_hours",
        body=None,
        ended_at=None,
        occasion=day,
        **never,
    )


def _failed(shelf: Shelf, now: datetime) -> int:
    words = "Sunrise: How do you feel today? Reply 1 to 5."
    return shelf.asked(now - timedelta(minutes=30), words, state="failed", reason="config_alarm", sid=None, attempts=1)


def _visits(cast: Cast, now: datetime) -> int:
    today = now.date()
    for days in range(1, 14):
        past = cast.visit(cast.rose if days % 3 else cast.marta, today - timedelta(days=days))
        _stands(cast, past, "confirmed" if days % 4 else None, now, "missed" if days == 6 else "completed")
    confirmed = cast.visit(cast.rose, today, time(15))
    wanted = cast.visit(cast.marta, today + timedelta(days=1), time(9, 30))
    cast.visit(cast.rose, today + timedelta(days=1), time(14), clinicians=(cast.ben,))
    _stands(cast, confirmed, "confirmed", now)
    _stands(cast, wanted, "wants_another_time", now, wanted="puede ser el jueves despues de las 2")
    return wanted


def _stands(
    cast: Cast, visit: int, answer: str | None, now: datetime, status: str = "scheduled", wanted: str | None = None
) -> None:
    with cast.db.agency_session(cast.id) as session:
        row = session.get_one(Visit, (cast.id, visit))
        row.status, row.answer, row.wanted = status, answer, wanted
        row.answered_at = now if answer else None
        row.completed_at = now if status == "completed" else None


def draft(cast: Cast, now: datetime) -> None:
    """A wording that waits for its review."""
    said = "{{ agency }}: {{ clinicians }} will visit {{ patient }} tomorrow, {{ day }}, {{ times }}. All well? Reply Y, or R for another time. STOP ends texts."
    with cast.db.agency_session(cast.id) as session:
        saved = save_wording(
            session, cast.id, "day-before", "en", said, "Mia Manager", "account:9999", load_book(cast.config), now
        )
        assert saved.version is not None


def cookie_of(cast: Cast, now: datetime, role: AccountRole, language: str) -> str:
    """The session cookie of somebody new with that role, signed in wholly."""
    account = add_account(cast, role, clinician=cast.ana, language=language, is_complete=True)
    with cast.db.agency_session(cast.id) as session:
        token = begin(session, cast.id, account, now, address="192.0.2.1", agent="a phone", is_whole=True)
    signer = Flask(__name__)
    signer.secret_key = encryption.ring().console_key
    serializer = SecureCookieSessionInterface().get_signing_serializer(signer)
    assert serializer is not None
    return str(serializer.dumps({"_user_id": token}))
