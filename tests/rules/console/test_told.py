"""Every reason has its sentence in both languages: why a text did not go, and why somebody's wish cannot be."""

import ast
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel

from engage.console.findings_told import FINDINGS
from engage.console.mounting import DOMAINS, WORDS
from engage.console.reasons_told import BEGINNINGS, REASONS, reason_told
from engage.console.refusals_told import REFUSALS, refusal_told
from engage.errors import BadInput, NotFound
from engage.outreach.rules import reasons
from engage.outreach.rules.checks import Rule
from engage.outreach.rules.reasons import explain
from engage.settings import read_toml
from engage.sms.rules.phones import PhoneRefusal
from engage.visits.rules.words import VisitStatus
from tests.conftest import ROOT

ERRORS = {"BadInput", "NotFound", "Conflict"}
# Reasons that are put together where they are raised.
FAMILIES = {
    "phone.": {f"phone.{word}" for word in PhoneRefusal},
    "visit.is_": {f"visit.is_{word}" for word in VisitStatus if word is not VisitStatus.SCHEDULED},
}


@pytest.fixture(scope="module")
def spanish() -> Flask:
    """A page in Spanish."""
    app = Flask(__name__)
    app.config.update(BABEL_DOMAIN=";".join(DOMAINS), BABEL_TRANSLATION_DIRECTORIES=";".join([WORDS] * len(DOMAINS)))
    Babel(app, locale_selector=lambda: "es")
    return app


@pytest.fixture(scope="module")
def english() -> Flask:
    """A page in English."""
    app = Flask(__name__)
    Babel(app, locale_selector=lambda: "en")
    return app


def raised() -> Iterator[tuple[str, set[str]]]:
    """Each reason that the program raises, or its beginning, with the names of its values."""
    for path in sorted((ROOT / "engage").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS):
                continue
            keywords = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
            match keywords.pop("reason", None):
                case ast.Constant(value=str(word)):
                    yield word, set(keywords)
                case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
                    yield start, set(keywords)


def test_every_reason_that_is_raised_has_a_sentence_and_no_sentence_is_for_nothing() -> None:
    found = dict(raised())
    assert {word for word in found if word[-1] in "._"} == set(FAMILIES)
    assert {word for word in found if word not in FAMILIES}.union(*FAMILIES.values()) == set(REFUSALS)


def test_a_sentence_needs_no_value_that_is_not_given(english: Flask) -> None:
    with english.test_request_context():
        for word, names in raised():
            if word not in FAMILIES:
                assert set(re.findall(r"%\((\w+)\)s", str(REFUSALS[word]))) <= names, word


def test_the_console_says_of_a_text_what_the_command_line_says(english: Flask) -> None:
    assert (set(REASONS), set(BEGINNINGS)) == (set(reasons._EXPLANATIONS), set(reasons._BEGINNINGS))
    with english.test_request_context():
        for reason in (*REASONS, *BEGINNINGS):
            assert reason_told(reason) == explain(reason).says
        assert reason_told("HTTP 502") == explain("HTTP 502").says
        assert "'x'" in explain("x").says
        assert "reason x," in reason_told("x")
    assert reason_told("no_consent") == explain("no_consent").says  # no page: the command line, a benchmark


def test_all_of_it_is_there_in_spanish(english: Flask, spanish: Flask) -> None:
    every = {**REASONS, **BEGINNINGS, **REFUSALS, **FINDINGS}
    with english.test_request_context():
        ours = {word: str(says) for word, says in every.items()}
    with spanish.test_request_context():
        assert [word for word, says in every.items() if str(says) == ours[word]] == []
        told = refusal_told(BadInput("x", reason="text.length", most=480, length=500))
        assert told == "Un mensaje tiene de 1 a 480 caracteres; este tiene 500."
        assert reason_told("opted_out").startswith("La persona dijo STOP")


def test_every_check_of_a_wording_has_a_sentence() -> None:
    surveys = read_toml(ROOT / "config" / "wording" / "survey.toml")["rule"]
    assert set(FINDINGS) == set(Rule) | {rule["id"] for rule in surveys}


def test_an_error_without_a_reason_says_what_it_says(spanish: Flask) -> None:
    with spanish.test_request_context():
        assert refusal_told(NotFound("Nothing here.")) == "Nothing here."
        assert refusal_told(BadInput("100 % wrong", reason="not in the table")) == "100 % wrong"
