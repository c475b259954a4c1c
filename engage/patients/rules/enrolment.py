"""How a phone is asked whether it may be texted: how often, until when, with what proof. Times in, verdicts out. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from engage.patients.rules.words import Category, EnrolmentPurpose

REMIND_AFTER = timedelta(hours=48)
"""One reminder at most: who does not answer two texts has answered."""
OPEN_FOR = timedelta(days=7)


class Step(StrEnum):
    """What is due about an open asking."""

    REMIND = "remind"
    END = "end"


def due(asked_at: datetime, reminded_at: datetime | None, until: datetime, now: datetime) -> Step | None:
    """What is due now; silence grants nothing."""
    if now >= until:
        return Step.END
    return Step.REMIND if reminded_at is None and now >= asked_at + REMIND_AFTER else None


def template(purpose: EnrolmentPurpose, *, is_again: bool) -> str:
    """The template that asks."""
    return {EnrolmentPurpose.ENROL: "enrol", EnrolmentPurpose.VERIFY: "verify-number"}[purpose] + "-again" * is_again


def params(categories: Sequence[str], weekly_cap: int) -> dict[str, object]:
    """What fills the template: the kinds of text that are asked about, and the frequency that CTIA wants told."""
    return {category.value: category.value in categories for category in Category} | {"most": weekly_cap}


def proof(asked: str | None, asked_at: datetime, said: str, said_at: datetime) -> str:
    """What is kept for ever as the proof of a consent by text: the exact words on both sides, and when."""
    return f'Asked by text {asked_at:%Y-%m-%d %H:%M} UTC: "{asked or "(the text is not on record)"}" Answered {said_at:%Y-%m-%d %H:%M} UTC: "{said}"'
