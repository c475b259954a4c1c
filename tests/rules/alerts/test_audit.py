"""What the auditor's findings mean: every one has a sentence, and only what is new or has grown is news."""

import pytest

from engage.alerts.rules.audit import Audit, Finding, Found, sentence, worse


@pytest.mark.parametrize("finding", list(Finding))
def test_every_finding_is_a_sentence_with_its_number(finding: Finding) -> None:
    assert " 7 " in f" {sentence(finding, 7)}"


def test_a_finding_of_a_newer_release_stands_for_itself() -> None:
    assert sentence("moonlight", 2) == "2 of moonlight"


@pytest.mark.parametrize(
    ("counts", "before", "news"),
    [
        ({}, {}, set()),
        ({"overdue": 1}, {}, {"overdue"}),
        ({"overdue": 1}, {"overdue": 1}, set()),
        ({"overdue": 2, "exhausted": 1}, {"overdue": 1, "exhausted": 3}, {"overdue"}),  # fewer is no news
    ],
)
def test_news(counts: dict[str, int], before: dict[str, int], news: set[str]) -> None:
    assert worse(counts, before) == news


def test_a_run_that_repaired_is_not_clean() -> None:
    assert Audit(()).is_clean
    assert not Audit((Found(Finding.LOST_STEP, 1, ("1/2",)),), repaired=1).is_clean
