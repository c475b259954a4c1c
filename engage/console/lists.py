"""The lists of the configuration that pages need: Twilio's codes, the states' hours, what wording is checked by. Read once a process."""

from functools import cache
from pathlib import Path

from flask import current_app

from engage.onboarding.book import load_book
from engage.onboarding.programme import needed_templates
from engage.outreach.rules.checks import Book
from engage.patients.rules.states import StateTable, parse_states
from engage.resources import shipped
from engage.settings import read_toml
from engage.sms.rules.codes import CodeTable, parse_codes

CONFIG = "ENGAGE_CONFIG_DIR"
"""The key of the app's configuration under which another folder than the shipped one is named."""


def states() -> StateTable:
    """The states that have hours of their own."""
    return _states(_folder())


def codes() -> CodeTable:
    """What Twilio's error codes mean."""
    return _codes(_folder())


def book() -> Book:
    """What wording is checked by."""
    return _book(_folder())


def needed() -> frozenset[str]:
    """The templates that no agency can do without."""
    return _needed(_folder())


def _folder() -> Path:
    return Path(current_app.config.get(CONFIG) or shipped("config"))


@cache
def _states(folder: Path) -> StateTable:
    return parse_states(read_toml(folder / "states.toml"))


@cache
def _codes(folder: Path) -> CodeTable:
    return parse_codes(read_toml(folder / "twilio-codes.toml"))


@cache
def _book(folder: Path) -> Book:
    return load_book(folder)


@cache
def _needed(folder: Path) -> frozenset[str]:
    return needed_templates(folder)
