"""Looks at a page as a stern reader would: axe's rules, and whether anything sticks out sideways."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.sizes import NARROW, ZOOMED

_AXE = Axe()
_STICKS_OUT = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def faults(page: Page) -> list[str]:
    """What is wrong with the page that is open, at its present size and on narrow and zoomed screens."""
    found = _AXE.run(page).response["violations"]
    said = [f"{each['id']}: {node['html'][:150]}" for each in found for node in each["nodes"][:3]]
    usual = page.viewport_size
    assert usual is not None
    for size in (NARROW, ZOOMED):
        page.set_viewport_size({"width": size.width, "height": size.height})
        page.wait_for_function("width => innerWidth === width", arg=size.width)  # a busy browser takes its time
        beyond = page.evaluate(_STICKS_OUT)
        if beyond > 0:
            said.append(f"{beyond} pixels too wide at {size}")
    page.set_viewport_size(usual)
    return said
