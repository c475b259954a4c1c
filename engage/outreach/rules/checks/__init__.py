"""Checks of a wording, when it is saved, when it is reviewed and in CI: a wording and its purpose in, findings out. Pure."""

from engage.outreach.rules.checks.finding import (
    Book,
    Finding,
    House,
    Prices,
    Purpose,
    Rule,
    Severity,
    refusals,
)
from engage.outreach.rules.checks.whole import check_wording

__all__ = ["Book", "Finding", "House", "Prices", "Purpose", "Rule", "Severity", "check_wording", "refusals"]
