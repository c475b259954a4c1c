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
from tests.browser.entering import hire, sign_in
from tests.browser.sizes import DESKTOP, PHONE, Size
from tests.cast import MONDAY, Cast
from tests.journeys.talk import World

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=str)
def test_a_scheduler_moves_a_visit_and_tells_the_patient(size: Size, browse: Browse, cast: Cast, world: World) -> None:
    visit = cast.visit(cast.marta, MONDAY, time(10))
    page = browse(size)
    sign_in(page, hire(cast, AccountRole.SCHEDULER, "sam"))
    page.get_by_role("navigation", name="Menu").get_by_role("link", name="Visits").click()
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
    page.get_by_role("navigation", name="Menu").get_by_role("link", name="Wording").click()
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
