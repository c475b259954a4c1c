"""The office: a scheduler moves a visit and tells the patient; a manager words a text anew, and somebody else releases it."""

import re
from datetime import time, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from engage.agencies.rules.people import AccountRole
from engage.outreach.model import Template
from engage.visits.model import Visit
from tests.browser.conftest import Browse
from tests.browser.entering import go, hire, sign_in
from tests.browser.sizes import DESKTOP, PHONE, Size
from tests.cast import MONDAY, Cast
from tests.journeys.talk import World

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=str)
def test_a_scheduler_moves_a_visit_and_tells_the_patient(size: Size, browse: Browse, cast: Cast, world: World) -> None:
    visit = cast.visit(cast.marta, MONDAY, time(10))
    page = browse(size)
    sign_in(page, hire(cast, AccountRole.SCHEDULER, "sam"))
    go(page, "Visits")
    page.get_by_role("link", name="Change Marta Ruiz").click()
    thursday = MONDAY + timedelta(days=3)
    page.get_by_label("New day").fill(thursday.isoformat())
    page.get_by_label("New time").fill("14:30")
    page.get_by_role("button", name="Move").click()
    text = page.get_by_label("The text")
    expect(text).to_have_attribute("lang", "es")  # a screen reader must change its voice
    expect(text).to_have_value(re.compile("jue 26"))
    text.fill(text.input_value() + " Gracias.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".note.good")).to_be_visible()
    page.get_by_role("link", name="Seven days").click()
    expect(page.get_by_role("row", name="Marta Ruiz")).to_contain_text("2:30")
    with cast.db.agency_session(cast.id) as session:
        row = session.get_one(Visit, (cast.id, visit))
        assert (row.starts_on, row.starts_local) == (thursday, time(14, 30))
    world.settle()
    assert [text.body for text in world.marta.inbox if "Gracias." in text.body and "jue 26" in text.body] != []


def test_a_manager_words_a_text_and_another_releases_it(browse: Browse, cast: Cast) -> None:
    page = browse(DESKTOP)
    sign_in(page, hire(cast, AccountRole.MANAGER, "mia"))
    go(page, "Wording")
    page.get_by_role("link", name="day-before", exact=True).first.click()
    words = page.get_by_label("Words")
    said = words.input_value()
    words.press("End")
    words.press("Control+End")
    words.press_sequentially(" Have a good day.")
    expect(page.locator("#preview .preview").first).to_contain_text("Have a good day.")
    expect(page.locator("#preview")).to_contain_text("segment")
    words.fill(said + " Call 12")  # no preview is kept of what was there before
    expect(page.locator("#preview .preview").first).to_contain_text("Call 12")
    words.fill(said + " Have a good day.")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.locator(".note.good")).to_contain_text("is saved")
    page.get_by_role("button", name="I have read it").click()
    expect(page.locator(".note.wrong").first).to_be_visible()  # not her own
    other = browse(PHONE)
    sign_in(other, hire(cast, AccountRole.ADMINISTRATOR, "otto"))
    other.goto("/console/wording/day-before/en")
    other.get_by_role("button", name="I have read it").click()
    expect(other.locator(".note.good")).to_contain_text("leaves from now on")
    with cast.db.agency_session(cast.id) as session:
        newest = (
            select(Template).where(Template.key == "day-before", Template.language == "en").order_by(Template.version)
        )
        row = session.scalars(newest).all()[-1]
        assert row.wording.endswith("Have a good day.")
        assert (row.written_by, row.reviewed_by) == ("Pat Manager", "Pat Administrator")


def test_a_manager_tries_a_text_on_her_own_phone(browse: Browse, cast: Cast, world: World) -> None:
    page = browse(PHONE)
    sign_in(page, hire(cast, AccountRole.MANAGER, "mia", cast.sue))
    page.goto("/console/wording/evening-checkin/es")
    page.get_by_role("button", name="Send it to my own phone").press("Enter")
    expect(page.locator(".note.good")).to_contain_text("your own phone")
    world.settle()
    (text,) = [one.body for one in world.sue.inbox if "(Test)" in one.body]
    assert "Guadalupe" in text
    assert "Rose" not in text


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=str)
def test_a_manager_changes_an_hour_after_seeing_what_it_would_do(size: Size, browse: Browse, cast: Cast) -> None:
    page = browse(size)
    sign_in(page, hire(cast, AccountRole.MANAGER, "mia"))
    go(page, "Programme")
    page.get_by_role("link", name="Change evening-checkin").press("Enter")
    page.get_by_label("Hour").first.fill("19:15")
    page.get_by_role("button", name="See what it would do").press("Enter")
    expect(page.get_by_role("heading", name="What it would do")).to_be_visible()
    expect(page.locator("main")).to_contain_text("19:15")
    page.get_by_role("button", name="Save it").press("Enter")
    expect(page.locator(".note.good")).to_be_visible()
    expect(page.locator("h1")).to_contain_text("7:15 PM")
    expect(page.locator(".history")).to_contain_text("Pat Manager")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=str)
def test_a_manager_gives_away_a_night_and_asks_who_is_on_call(size: Size, browse: Browse, cast: Cast) -> None:
    page = browse(size)
    sign_in(page, hire(cast, AccountRole.MANAGER, "mia"))
    go(page, "Rota")
    page.get_by_text("Somebody more, off, or in another's place").press("Enter")
    page.locator("#change-kind").select_option("replace")
    page.locator("#change-who").select_option(label="Ben Tester")
    page.locator("#change-instead").select_option(label="Sue Tester")
    page.locator("#change-from").fill("2026-11-24T17:00")
    page.locator("#change-to").fill("2026-11-25T08:00")
    page.locator("form[action$=changes] button").press("Enter")
    expect(page.locator(".note.good").first).to_contain_text("It is saved")
    page.get_by_label("At another time").fill("2026-11-25T02:00")
    page.get_by_role("button", name="Ask").press("Enter")
    expect(page.locator(".answer")).to_contain_text("Sue Tester")
    page.get_by_role("link", name="Next week").press("Enter")
    expect(page.get_by_role("row", name="Tue Nov 24")).to_contain_text("5:00 PM – midnight")


def test_a_ladder_is_changed_by_keyboard_alone(browse: Browse, cast: Cast) -> None:
    page = browse(DESKTOP)
    sign_in(page, hire(cast, AccountRole.MANAGER, "mia"))
    more = page.get_by_role("navigation", name="Menu").locator("summary")
    more.press("Enter")
    expect(page.get_by_role("link", name="Ladders")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Ladders")).to_be_hidden()
    expect(more).to_be_focused()
    go(page, "Ladders")
    expect(page.locator("main")).to_contain_text("2:10 AM")
    page.get_by_role("link", name="Change nurse").press("Enter")
    page.get_by_label("Wait, minutes").nth(1).fill("5")
    page.get_by_role("button", name="See what it would do").press("Enter")
    expect(page.get_by_role("region", name="As it would be").first).to_contain_text("After 15 min")
    page.get_by_role("button", name="Save it").press("Enter")
    expect(page.locator(".note.good").first).to_contain_text("It is saved")
    expect(page.locator(".history")).to_contain_text("on_call 5")
