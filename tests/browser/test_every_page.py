"""Every page in both languages and both themes: no rule of axe broken, nothing too wide at 360 pixels or 200 %, no complaint of the browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from engage import clock
from engage.agencies.rules.people import AccountRole
from tests.browser import house
from tests.browser.conftest import Browse
from tests.browser.entering import give_password, hire
from tests.browser.looking import faults
from tests.browser.sizes import DESKTOP, PHONE
from tests.cast import Cast
from tests.journeys.talk import World

pytestmark = pytest.mark.browser
LOOKS = [("en", "light"), ("en", "dark"), ("es", "light"), ("es", "dark")]
SIZES = {"light": PHONE, "dark": DESKTOP}


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_every_page_of_the_console(language: str, theme: str, browse: Browse, cast: Cast, world: World) -> None:
    filled = house.fill(cast, clock.now())
    wrong: dict[str, list[str]] = {}
    for page, name in _opened(language, theme, browse, cast, filled):
        if found := faults(page):
            wrong[name] = found
    assert wrong == {}


def test_what_is_wrong_is_found(browse: Browse) -> None:
    page = browse(PHONE)
    page.set_content('<html lang="en"><title>x</title><main><h1>x</h1><input><p style="width: 70rem">wide</p></main>')
    found = " ".join(faults(page))
    assert ("label" in found, "too wide at narrow" in found, "too wide at zoomed" in found) == (True, True, True)


def _opened(language: str, theme: str, browse: Browse, cast: Cast, filled: house.House) -> Iterator[tuple[Page, str]]:
    """Each page, opened. Whoever is not signed in first, then somebody who may see all."""
    page = browse(SIZES[theme], language, theme)
    page.goto("/console/sign-in")
    yield page, "sign in"
    page.goto("/console/sign-on")
    yield page, "sign in through an organisation"
    page.goto("/console/sign-in")
    give_password(page, hire(cast, AccountRole.NURSE, "ana"))
    yield page, "second factor"
    cookie = house.cookie_of(cast, clock.now(), AccountRole.ADMINISTRATOR, language)
    page = browse(SIZES[theme], language, theme, cookie=cookie)
    for address in _addresses(cast, filled):
        answer = page.goto(f"/console/{address}")
        assert answer is not None
        assert (answer.status, page.locator("html").get_attribute("lang")) == (200, language), address
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")  # looked at unfolded
        yield page, address
    page.goto(f"/console/visits/{filled.visit}")
    page.locator("#starts").fill("11:00")
    page.locator("form[action$=move] button").click()
    expect(page.locator("textarea#words")).to_be_visible()
    yield page, "tell of a moved visit"
    for form, name, value in (
        ("programme/evening-checkin", "local_time", "17:00"),
        ("ladders/nurse", "minutes-0", "5"),
    ):
        page.goto(f"/console/{form}")
        page.locator(f"#{name}").fill(value)
        page.locator("form[action$=try] > button").click()
        expect(page.locator("form.acts")).to_be_visible()
        yield page, f"{form} tried out"
    page.goto("/console/audit/")
    page.locator("form[action$=verify] button").click()
    expect(page.locator(".note.good")).to_be_visible()
    yield page, "audit verified"
    yield from _refused(language, theme, browse, cast, filled)


def _refused(language: str, theme: str, browse: Browse, cast: Cast, filled: house.House) -> Iterator[tuple[Page, str]]:
    """What somebody sees who may not: a nurse at the dashboard, where nothing is, a link that works no more; and a reason too short."""
    cookie = house.cookie_of(cast, clock.now(), AccountRole.NURSE, language)
    page = browse(SIZES[theme], language, theme, cookie=cookie, refuses=True)
    for address, status in (("dashboard", 403), ("nothing-here", 404), (f"messages/{filled.failed}/again", 403)):
        answer = page.goto(f"/console/{address}")
        assert answer is not None
        assert (answer.status, page.locator("html").get_attribute("lang")) == (status, language), address
        yield page, f"{address}, refused"
    page.goto("/console/openings/")
    page.locator("#emr_id").fill("marta")
    page.locator("#reason").fill("x" * 10)
    page.evaluate("document.querySelector('#reason').minLength = 0")
    page.locator("#reason").fill("x")
    page.locator("main form button").click()
    expect(page.locator(".note.wrong")).to_be_visible()
    yield page, "a reason too short"
    page = browse(SIZES[theme], language, theme, refuses=True)
    answer = page.goto("/console/welcome/used-up")
    assert answer is not None
    assert answer.status == 404
    yield page, "a link that works no more"


def _addresses(cast: Cast, filled: house.House) -> list[str]:
    return [
        "worklist?whose=agency",
        f"patients/{cast.rose}",
        f"patients/{cast.marta}",
        f"patients/{cast.rose}/texts/{filled.text}",
        "visits",
        "visits?days=week",
        f"visits/{filled.visit}",
        "messages",
        "messages/unreadable",
        f"messages/{filled.failed}/again",
        f"messages/{filled.text}/again",
        "wording",
        "wording/day-before/en",
        "wording/day-before/es",
        "wording/page/en",
        "programme?tags=chf&day=3",
        f"calendar/{cast.rose}",
        "programme/evening-checkin",
        "programme/morning-checkin",
        "programme/survey",
        "ladders",
        f"ladders?kind=complaint&nurse={cast.ana}",
        "ladders/nurse",
        "rota",
        "rota?week=1",
        "dashboard",
        "dashboard?by=clinician",
        "dashboard?by=payer",
        "dashboard/people?measure=missed",
        "dashboard/people?measure=answered&by=referral&key=none",
        "dashboard/people?measure=wait",
        "openings/",
        "openings/list",
        "people/",
        "audit/",
        "account",
    ]
