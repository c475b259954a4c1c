"""The pages on which nurses, schedulers and managers work; the others are about accounts."""

from flask import Blueprint

from engage.console import dashboard, messages_page, patient, visits_board, wording_page, worklist
from engage.db import Database


def screens(db: Database) -> list[Blueprint]:
    """A blueprint for each."""
    return [page.pages(db) for page in (worklist, patient, visits_board, messages_page, dashboard, wording_page)]
