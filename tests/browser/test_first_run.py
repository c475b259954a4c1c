"""The first run in a browser: the printed link, the agency, a password, an app, recovery codes, Twilio. Each page is looked at too."""

import threading
from collections.abc import Iterator

import pyotp
import pytest
from freezegun import freeze_time
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from engage import clock
from engage.console.first import FirstRun
from engage.db import Database
from tests.browser.conftest import Browse
from tests.browser.looking import faults
from tests.browser.sizes import DESKTOP, PHONE
from tests.cast import NOON, SUNRISE_NUMBER
from tests.conftest import ROOT
from tests.flows.console.conftest import PASSWORD, codes, no_gateway
from webhooks import create_app

pytestmark = pytest.mark.browser
AGENCY = {
    "name": "Sunrise Home Health",
    "short_name": "Sunrise",
    "slug": "sunrise",
    "phone": "(202) 555-0150",
    "time_zone": "America/New_York",
    "sender_phone": SUNRISE_NUMBER,
    "person": "Sue Park",
    "email": "sue@example.org",
}


@pytest.fixture
def url(chromium: Browser, db: Database) -> Iterator[str]:
    """Our web on an empty database, without an account at Twilio."""
    first = FirstRun(
        token="printed", config_dir=ROOT / "config", problems=lambda: ["X is not set."], gateway=no_gateway
    )
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    address = f"http://localhost:{server.server_port}"
    with freeze_time(NOON, real_asyncio=True):
        server.app = create_app(db, codes(), first=first, auth_tokens=["x"], public_url=address)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield address
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("size", "language", "theme"), [(DESKTOP, "en", "light"), (PHONE, "es", "dark")], ids=str)
def test_the_first_run(size: object, language: str, theme: str, browse: Browse) -> None:
    page = browse(size, language, theme)
    wrong = {}
    page.goto("/console/first/printed")
    wrong["agency"] = faults(page)
    for name, value in AGENCY.items():
        page.locator(f"#{name}").fill(value)
    page.locator("#email").press("Enter")
    expect(page.locator("#password")).to_be_focused()
    wrong["password"] = faults(page)
    page.locator("#password").fill(PASSWORD)
    page.locator("#password").press("Enter")
    expect(page.locator("img.qr")).to_be_visible()
    page.locator("img.qr").evaluate(
        "one => one.decode()"
    )  # drawn, not only promised; nothing is polled by eval, which our policy forbids
    wrong["second factor"] = faults(page)
    secret = page.locator("code").first.inner_text().replace(" ", "")
    page.locator("#code").fill(pyotp.TOTP(secret).at(clock.now()))
    page.locator("#code").press("Enter")
    expect(page.locator(".codes li").first).to_be_visible()
    wrong["recovery codes"] = faults(page)
    page.goto("/console/first/twilio")
    page.locator("main form button").first.click()
    expect(page.locator(".note").first).to_be_visible()
    wrong["twilio"] = faults(page)
    assert {name: found for name, found in wrong.items() if found} == {}
