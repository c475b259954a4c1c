"""A real Chromium before the real web app, the fake Twilio behind it. It is Sunday noon in New York, until a test says otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from freezegun import freeze_time
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from engage import clock
from tests.browser.chromium import MISSING, find_chromium
from tests.browser.sizes import Size
from tests.cast import NOON, Cast
from tests.flows.console.shelf import Shelf
from tests.journeys.talk import World, world_of

PATIENCE = 90_000
"""Milliseconds until something that does not come is given up. It costs nothing where all is well, and a busy machine is slow."""

Browse = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for every test of this process; without one the run ends, with what to do about it."""
    path = find_chromium()
    if path is None:
        pytest.exit(MISSING, returncode=2)
    expect.set_options(timeout=PATIENCE)
    asks_for_no_sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # root gets no sandbox from Chromium
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=asks_for_no_sandbox, timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def world(chromium: Browser, cast: Cast) -> Iterator[World]:
    """Sunrise with the fake Twilio; passkeys need a host with a name."""
    with freeze_time(NOON, real_asyncio=True) as time, world_of(cast, time, host="localhost") as made:
        yield made


@pytest.fixture
def url(world: World) -> str:
    """The address of our web."""
    return world.verbs.settings.public_url


@pytest.fixture
def shelf(cast: Cast, world: World) -> Shelf:
    """Rose was asked this morning how she feels."""
    made = Shelf(cast)
    made.asked(clock.now() - timedelta(hours=1), "How do you feel today? Reply 1 to 5.")
    return made


@pytest.fixture
def browse(chromium: Browser, url: str) -> Iterator[Browse]:
    """`browse(size)` is the page of a fresh browser; at the end no page may have complained, about our policy for scripts included.

    `refuses`: a page that answers 403 or 404 is what is looked at, and Chromium's complaint about that is none.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one(
        size: Size, language: str = "en-US", theme: str = "light", cookie: str | None = None, *, refuses: bool = False
    ) -> Page:
        context = chromium.new_context(
            base_url=url,
            viewport={"width": size.width, "height": size.height},
            device_scale_factor=size.scale,
            color_scheme=theme,  # type: ignore[arg-type]
            locale=language,
        )
        context.set_default_timeout(PATIENCE)

        def note(said: ConsoleMessage) -> None:
            is_expected = refuses and "the server responded with a status of 40" in said.text
            if _is_complaint(said) and not is_expected:
                complaints.append(said.text)

        context.on("console", note)
        context.on("weberror", lambda wrong: complaints.append(str(wrong.error)))
        if cookie is not None:
            context.add_cookies([{"name": "engage", "value": cookie, "url": url}])
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(said: ConsoleMessage) -> bool:
    """Whether the browser says that something is wrong. That it is asked once more whether it is still you (428) is not."""
    return said.type in {"error", "warning"} and "status of 428" not in said.text
