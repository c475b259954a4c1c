"""The doors of single sign-on: a browser goes to its agency's provider and comes back with a code; a session out, or one sentence.

What must come back waits in the signed cookie, for ten minutes and one use. A provider says who somebody is; it makes no account.
"""

import hmac
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engage import clock, log
from engage.agencies.model import AuditEvent
from engage.console import sign_on
from engage.console.entering import enter, onward
from engage.console.gate import SignedIn, address, local, record, signed_in
from engage.console.model import SignOn
from engage.console.passkeys import Place
from engage.console.provider import Asked, Client, ProviderFailed, answer, ask
from engage.console.rules.signing_on import HOLDS, Stranger, Vouched, has_two_factors, is_fresh
from engage.console.second import ENROLS, let_in
from engage.console.sessions import begin, confirm, find
from engage.console.signin import Limit
from engage.console.welcome import LINK
from engage.db import Database

_KEPT = "sign_on"
_LONGEST = 4000  # of a code: providers write some that are long


def add_sign_on(door: Blueprint, db: Database, limit: Limit, place: Place, *, may_be_local: bool = False) -> None:
    """/console/sign-on (which agency?), /console/sign-on/<agency> (to its provider), and /back beneath that."""

    @door.get("/sign-on")
    @limit
    def sign_on_page() -> ResponseReturnValue:
        slug = request.args.get("agency", "").strip().lower()[:40]
        found = sign_on.of_slug(db, slug) if slug else None
        if slug and found is None:
            return _page(slug, wrong=gettext("No agency of this name signs in elsewhere.")), 404
        return _page(slug, found[1] if found else None)

    @door.get("/sign-on/<slug>")
    @limit
    def go_to_provider(slug: str) -> ResponseReturnValue:
        found = sign_on.of_slug(db, slug)
        if found is None:
            return _page(slug, wrong=gettext("No agency of this name signs in elsewhere.")), 404
        if not _is_from_us():
            return redirect(url_for("console.sign_on_page", agency=slug, next=local(request.args.get("next"))), 303)
        client = client_of(found[1], slug, place, may_be_local=may_be_local)
        link = session.get(LINK) if "invited" in request.args else None
        return to_provider(client, slug, next=local(request.args.get("next")), link=link)

    @door.get("/sign-on/<slug>/back")
    @limit
    def come_back(slug: str) -> ResponseReturnValue:
        kept, found, now = _kept(slug, clock.now()), sign_on.of_slug(db, slug), clock.now()
        if kept is None or found is None:
            return _page(slug, wrong=gettext("That took too long, or began in another window. Please begin anew.")), 400
        agency_id, trusted = found
        client = client_of(trusted, slug, place, may_be_local=may_be_local)
        vouched = _vouched(client, kept, now)
        if vouched is None:
            _note(db, agency_id, "provider")
            return _page(slug, trusted, wrong=gettext("Your organisation did not confirm who you are.")), 403
        if "sitting" in kept:
            return _confirmed(db, kept, vouched, now)
        known = sign_on.identify(db, agency_id, trusted, vouched, kept.get("link"), now)
        if isinstance(known, Stranger):
            _note(db, agency_id, known)
            wrong = gettext("Engage has no account for you here. An administrator of your agency can invite you.")
            return _page(slug, trusted, wrong=wrong), 403
        return _entered(db, known, vouched, kept.get("next"), now)


def _is_from_us() -> bool:
    """Whether somebody chose a link of ours: no other site may sign a browser in unasked (OWASP ASVS 5.0, 7.6.2)."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is None:  # browsers before 2023
        return urlsplit(request.referrer or "").netloc == request.host
    return site == "same-origin"


def client_of(trusted: SignOn, slug: str, place: Place, *, may_be_local: bool) -> Client:
    """How an agency's Engage is known at its provider. Each agency has a way back of its own, so that no provider can send
    somebody back as if another had (RFC 9700, section 4.4)."""
    back = place.origin + url_for("console.come_back", slug=slug)
    return Client(trusted.issuer, trusted.client_id, trusted.client_secret, back, may_be_local)


def to_provider(client: Client, slug: str, *, anew: bool = False, **kept: Any) -> Response | tuple[str, int]:
    """Send the browser to the provider, and keep for its return what is `kept`."""
    try:
        where, asked = ask(client, anew=anew)
    except ProviderFailed as problem:
        log.get().warning("a provider of sign-ons failed", agency=slug, why=str(problem))
        return _page(slug, wrong=gettext("Your organisation's sign-in cannot be reached. Please try again.")), 502
    session[_KEPT] = {"slug": slug, "at": clock.now().timestamp(), "anew": anew, **asdict(asked), **kept}
    return redirect(where, 303)  # type: ignore[return-value]


def _kept(slug: str, now: datetime) -> dict[str, Any] | None:
    """What was kept when this browser left for the provider, if that is who came back; gone after this."""
    kept: dict[str, Any] | None = session.pop(_KEPT, None)
    if kept is None or kept["slug"] != slug or now.timestamp() - kept["at"] >= HOLDS / timedelta(seconds=1):
        return None
    return kept if hmac.compare_digest(kept["state"].encode(), request.args.get("state", "").encode()) else None


def _vouched(client: Client, kept: dict[str, Any], now: datetime) -> Vouched | None:
    """What the provider says of whoever came back; None when it says nothing that holds. What it wrote into the address is not shown."""
    code = request.args.get("code", "")
    if not code or len(code) > _LONGEST or "error" in request.args:
        return None
    try:
        asked = Asked(kept["state"], kept["nonce"], kept["verifier"])
        return answer(client, asked, code, request.args.get("iss"), now)
    except ProviderFailed as problem:
        log.get().warning("a provider of sign-ons failed", agency=kept["slug"], why=str(problem))
        return None


def _entered(db: Database, known: sign_on.Known, vouched: Vouched, target: str | None, now: datetime) -> Response:
    """A session: whole when the provider asked for two factors itself, else half, and our own is asked for."""
    account = known.account
    with db.agency_session(account.agency_id) as rows:
        agent = request.headers.get("User-Agent", "")
        token = begin(rows, account.agency_id, account.id, now, address=address(), agent=agent)
    sitting = find(db, token, now)
    if sitting is None:
        raise AssertionError("the session has just begun")
    if has_two_factors(vouched.amr, vouched.acr) and not known.asks_for_own_factor:
        return let_in(db, SignedIn(token, sitting, db), "sign-on", onward(target))
    # As behind any one-time link: only who was invited may add a first second factor.
    may_enrol = sitting.id if known.by == "invitation" and account.totp_at is None else None
    enter(db, token, **{ENROLS: may_enrol})
    return redirect(url_for("console.second_factor", next=local(target)), 303)  # type: ignore[return-value]


def _confirmed(db: Database, kept: dict[str, Any], vouched: Vouched, now: datetime) -> Response:
    """Whoever is signed in here was asked by the provider again just now: they have five minutes for grave changes."""
    who = signed_in()
    if who is not None and who.sitting.is_whole and who.sitting.id == kept["sitting"]:
        seen = who.sitting.viewer
        with db.agency_session(seen.agency_id) as rows:
            is_them = is_fresh(vouched, now) and sign_on.who_is(rows, vouched) == seen.account_id
            action = "confirm" if is_them else "confirm.failed"
            record(rows, seen.agency_id, seen.account_id, action, "account", seen.account_id, {"by": "sign-on"})
            if is_them:
                confirm(rows, who.sitting.id, now)
        words = (
            gettext("Shown. Now do it again, please.")
            if is_them
            else gettext("That is not right. Nothing was changed.")
        )
        flash(words, "good" if is_them else "wrong")
    return onward(kept.get("next"), "console.account")


def _note(db: Database, agency_id: int, why: str) -> None:
    with db.agency_session(agency_id) as rows:
        event = {"actor": "nobody", "action": "sign_on.failed", "subject": "agency", "subject_id": agency_id}
        detail = {"from": address(), "why": str(why)}
        rows.add(AuditEvent(agency_id=agency_id, at=clock.now(), **event, detail=detail))


def _page(slug: str, trusted: SignOn | None = None, wrong: str = "") -> str:
    return render_template("console/sign_on.html", slug=slug, trusted=trusted, wrong=wrong)
