"""Logs hold ids: private keys are replaced, and an exception is its kind and its lines, never its words."""

import io
import json
import logging
import sys
from typing import Any

import pytest
from freezegun import freeze_time

from engage import log


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is written to standard error from now on, as JSON."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    log.configure("INFO", as_json=True)
    return written


def only(lines: io.StringIO) -> dict[str, Any]:
    """The one line that was written."""
    (line,) = lines.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@freeze_time("2026-11-23 13:00:00.5")
def test_a_line_has_its_event_level_instant_and_ids(lines: io.StringIO) -> None:
    log.get(agency=7).info("text sent", message=12)
    assert only(lines) == {
        "event": "text sent",
        "level": "info",
        "at": "2026-11-23T13:00:00.500+00:00",
        "agency": 7,
        "message": 12,
    }


@pytest.mark.parametrize(
    "key", ["name", "first_name", "last_name", "phone", "number", "to", "from_", "body", "text", "address"]
)
@pytest.mark.parametrize("is_bound", [True, False])
def test_a_private_key_is_left_out(lines: io.StringIO, key: str, is_bound: bool) -> None:
    private = {key: "Rose +12025550111"}
    if is_bound:
        log.get(**private).info("text sent")
    else:
        log.get().info("text sent", **private)
    assert only(lines)[key] == "[left out]"
    assert "Rose" not in lines.getvalue()
    assert "2025550111" not in lines.getvalue()


def fail(body: str) -> None:
    raise ValueError(f"cannot read {body}")


def test_an_exception_is_its_kind_and_its_lines(lines: io.StringIO) -> None:
    try:
        fail("my chest hurts")
    except ValueError:
        log.get().exception("a reply could not be handled", reply=5)
    line = only(lines)
    assert (line["event"], line["level"], line["reply"], line["error"]) == (
        "a reply could not be handled",
        "error",
        5,
        "ValueError",
    )
    assert line["where"].startswith("test_log:")
    assert " > test_log:" in line["where"]
    assert "chest" not in lines.getvalue()


@pytest.mark.parametrize("as_", ["exception", "tuple"])
def test_an_exception_handed_over_is_treated_the_same(lines: io.StringIO, as_: str) -> None:
    try:
        fail("my chest hurts")
    except ValueError as problem:
        given = problem if as_ == "exception" else sys.exc_info()
        log.get().error("a reply could not be handled", exc_info=given)
    assert only(lines)["error"] == "ValueError"
    assert "chest" not in lines.getvalue()


def test_a_chain_of_exceptions_tells_no_words(lines: io.StringIO) -> None:
    try:
        try:
            fail("my chest hurts")
        except ValueError as problem:
            raise RuntimeError("while handling Rose") from problem
    except RuntimeError:
        log.get().exception("a verb failed")
    assert only(lines)["error"] == "RuntimeError"
    assert "chest" not in lines.getvalue()
    assert "Rose" not in lines.getvalue()


def test_exc_info_without_an_exception_is_nothing(lines: io.StringIO) -> None:
    log.get().info("all is well", exc_info=True)
    assert "error" not in only(lines)


@pytest.mark.parametrize(
    ("level", "written"), [("DEBUG", 4), ("info", 3), ("Warning", 2), ("ERROR", 1)]
)  # any case, as the setting allows
def test_the_level(monkeypatch: pytest.MonkeyPatch, level: str, written: int) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    log.configure(level, as_json=True)
    logger = log.get()
    logger.debug("d")
    logger.info("i")
    logger.warning("w")
    logger.error("e")
    assert len(stream.getvalue().splitlines()) == written


def test_text_for_a_terminal_is_as_discreet(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    log.configure("INFO", as_json=False)
    try:
        fail("my chest hurts")
    except ValueError:
        log.get().exception("a reply could not be handled", body="my chest hurts")
    assert "chest" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


@pytest.mark.parametrize("library", ["twilio", "twilio.http_client", "apscheduler.scheduler", "urllib3.connectionpool"])
def test_libraries_that_log_numbers_are_quiet(lines: io.StringIO, library: str) -> None:
    assert not logging.getLogger(library).isEnabledFor(logging.WARNING)
