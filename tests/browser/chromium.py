"""Where this machine has a Chromium, and what to say when it has none."""

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "The browser tests need Chromium and found none: install it (on Debian: apt-get install chromium), "
    "or say where it is with CHROMIUM=/path/to/chromium."
)


def find_chromium(named: str | None = os.environ.get("CHROMIUM")) -> str | None:
    """The path of a Chromium, or None. What CHROMIUM names counts before what is installed."""
    if named:
        return named if Path(named).is_file() else None
    return next((found for name in NAMES if (found := shutil.which(name))), None)
