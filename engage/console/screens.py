"""The pages on which nurses, schedulers and managers work; the others are about accounts."""

from flask import Blueprint

from engage.console import (
    calendar_page,
    dashboard,
    ladders_page,
    messages_page,
    patient,
    programme_page,
    rota_page,
    visits_board,
    wording_page,
    worklist,
)
from engage.db import Database


def screens(db: Database) -> list[Blueprint]:
    """A blueprint for each."""
    office = (
        visits_board,
        messages_page,
        dashboard,
        wording_page,
        programme_page,
        calendar_page,
        ladders_page,
        rota_page,
    )
    return [page.pages(db) for page in (worklist, patient, *office)]
