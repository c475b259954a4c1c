"""Every reason that can stand on a message has its sentence: the words of the rules, and those written where things happen."""

import re

import pytest

from engage.outreach.rules.draft import Drop
from engage.outreach.rules.reasons import explain
from engage.patients.rules.permission import _STALE, Hold, Refusal
from engage.sms.rules.codes import CodeClass
from tests.conftest import ROOT

UNEXPLAINED = "which nobody has explained"
SOURCES = [
    path.read_text(encoding="utf-8")
    for folder in ("engage/outreach", "engage/patients", "engage/sms")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name != "reasons.py"
]
WRITTEN = (
    r"reason = '([^']+)'",
    r"reason = CASE WHEN [^\n]*? THEN '([^']+)'",
    r"reason = CASE WHEN [^\n]*? ELSE '([^']+)' END",
    r"\n +WHEN [^\n]* THEN '(\w+)'",  # a line of the planner's list
    r'Hold\([^\n]*, "([^"]+)"\)',
    r'(?:Uncertain|LostContact)\(f?"([^"]+)"\)',
    r'__init__\(f"(HTTP [^"]+)',
    r'(?:timedelta\([^\n]*\)|pause|_PAUSE_AFTER_STOP), "([^"]+)"',
)


def literals() -> set[str]:
    """Reasons as they stand in the sources, in SQL and in Python."""
    found = {hit for source in SOURCES for pattern in WRITTEN for hit in re.findall(pattern, source)}
    return {word.partition("{")[0] for word in found}


def test_the_sources_are_read() -> None:
    known = {"too_late", "visit_changed", "touchpoint_off", "lease_lapsed", "never_sent", "never_reached_twilio"}
    assert known | {"facts_unreadable", "provider_busy", "sending_stopped", "answer without a SID"} <= literals()
    assert {"HTTP ", "no whole answer came back ("} <= literals()


@pytest.mark.parametrize(
    "reason",
    sorted({*Refusal, *Drop, *CodeClass, *_STALE, Hold.__dataclass_fields__["reason"].default} | literals()),
)
def test_every_reason_is_explained(reason: str) -> None:
    told = explain(reason)
    assert UNEXPLAINED not in told.says
    assert told.says.endswith(".")
    assert len(told.says) > 20
    assert told.rule
    assert not told.rule.endswith(".")


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("no whole answer came back (ReadTimeoutError)", "line"),
        ("HTTP 503", "trouble"),
        ("exemption_cap", "exemption"),
        ("state_hours", "state"),
    ],
)
def test_what_they_say(reason: str, word: str) -> None:
    assert word in explain(reason).says


@pytest.mark.parametrize("reason", ["", "the_moon", "quiet"])
def test_an_unknown_word_is_not_made_up(reason: str) -> None:
    told = explain(reason)
    assert UNEXPLAINED in told.says
    assert repr(reason) in told.says
