"""Takes the key that a clinician pressed in a call that pages them: 4 takes the alerts, 5 passes them on; what to say comes out.

The key acts at once, in one transaction with the report of the call. Whoever answered without a key has taken nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage import log
from engage.alerts.taking import PassedOn, Taken, TakenWith, acknowledge, pass_on, tell_others
from engage.db import Database, encryption
from engage.outreach.links import Link
from engage.outreach.receipts import take_call
from engage.outreach.rules import wording
from engage.outreach.rules.paging import spoken
from engage.sms.rules.calls import PRESSED
from engage.sms.rules.codes import CodeTable

TAKE, PASS = "4", "5"


@dataclass(frozen=True, slots=True)
class Heard:
    """Words to say; `asks` when a key is asked for once more."""

    words: str
    asks: bool = False


# The alerts that the call was about: of its own page, and of those that travelled in it.
_PAGE = text("""
SELECT m.clinician_id, m.body, a.short_name, COALESCE(b.time_zone, a.time_zone) AS zone,
       (SELECT array_agg(DISTINCT al.code) FROM messages p JOIN alerts al ON al.agency_id = p.agency_id AND al.id = p.alert_id
        WHERE p.agency_id = m.agency_id AND (p.id = m.id OR p.bundle_id = m.id) AND al.state <> 'resolved') AS codes
FROM messages m
JOIN agencies a ON a.id = m.agency_id
JOIN clinicians k ON k.agency_id = m.agency_id AND k.id = m.clinician_id
LEFT JOIN branches b ON b.agency_id = k.agency_id AND b.id = k.branch_id
WHERE m.agency_id = :agency AND m.id = :message AND m.kind = 'page'
""")
_WORDING = text("""
SELECT wording FROM templates WHERE agency_id = :agency AND key = :key AND language = 'en' AND reviewed_at IS NOT NULL
ORDER BY version DESC LIMIT 1
""")


def take_digit(db: Database, codes: CodeTable, link: Link, call_sid: str, digit: str, now: datetime) -> Heard | None:
    """Do what `digit` says and answer; None when there is no such page of ours."""
    with db.agency_session(link.agency_id) as session:
        page = session.execute(_PAGE, {"agency": link.agency_id, "message": link.message_id}).first()
        if page is None:
            return None
        if digit not in {TAKE, PASS}:
            body = encryption.ring().open(bytes(page.body), "messages.body") if page.body is not None else ""
            return Heard(body, asks=True)
        done = _take(session, link, page, now) if digit == TAKE else _pass(session, link, page, now)
        key = ("call-page-taken" if digit == TAKE else "call-page-passed") if done else "call-page-gone"
        words = _worded(session, link.agency_id, key, {"agency": page.short_name, "spoken": spoken(done)})
    take_call(db, codes, link, call_sid, PRESSED, None, now)
    return Heard(words)


def _take(session: Session, link: Link, page: Row[Any], now: datetime) -> list[str]:
    taken = []
    for code in page.codes or ():
        answer = acknowledge(session, link.agency_id, page.clinician_id, code, now)
        if isinstance(answer, Taken):
            at = wording.clock_words(now, page.zone, "en")
            tell_others(session, link.agency_id, answer, page.clinician_id, at, now)
        if isinstance(answer, Taken | TakenWith):
            taken.append(code)
    return taken


def _pass(session: Session, link: Link, page: Row[Any], now: datetime) -> list[str]:
    answers = {code: pass_on(session, link.agency_id, page.clinician_id, code, now) for code in page.codes or ()}
    return [code for code, answer in answers.items() if isinstance(answer, PassedOn)]


def _worded(session: Session, agency_id: int, key: str, values: dict[str, object]) -> str:
    template = session.scalar(_WORDING, {"agency": agency_id, "key": key})
    if template is None:
        return ""
    try:
        return wording.render(template, values)
    except Exception:  # noqa: BLE001 - an agency's wording can fail in any way; the key has acted, and nobody hears an error
        log.get().exception("the answer to a key cannot be worded", agency=agency_id)
        return ""
