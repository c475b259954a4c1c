"""Reads the lists that wordings are checked by: config/wording/ and config/prices.toml in, a Book out. Touches no database."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from engage.errors import ConfigurationError
from engage.outreach.rules.checks import Book, Prices
from engage.outreach.rules.checks.lists import Disclosing, Question, SurveyRule, SurveyRules, plain
from engage.settings import read_toml

_APPLIES = {"every", "survey", "bereavement"}


def load_book(config_dir: Path) -> Book:
    """The book of `config_dir`; ConfigurationError names the file and what is wrong in it."""
    disclosing = config_dir / "wording" / "disclosing.toml"
    lists = {
        language: Disclosing(tuple(_words(entry, "refuse", disclosing)), tuple(_words(entry, "warn", disclosing)))
        for language, entry in read_toml(disclosing).items()
    }
    return Book(lists, _survey(config_dir / "wording" / "survey.toml"), _prices(config_dir / "prices.toml"))


def _survey(file: Path) -> SurveyRules:
    data = read_toml(file)
    words = data.get("words", {})
    refuse_at, warn_at = data.get("refuse_at"), data.get("warn_at")
    if not isinstance(refuse_at, float) or not isinstance(warn_at, float) or not 0 < warn_at <= refuse_at <= 1:
        raise ConfigurationError(f"{file}: warn_at and refuse_at must be shares such as 0.5, warn_at the lower one.")
    return SurveyRules(
        rules=tuple(_rule(entry, file) for entry in data.get("rule", ())),
        questions=tuple(_question(entry, file) for entry in data.get("question", ())),
        empty=frozenset(plain(word) for word in words.get("empty", ())),
        same={plain(word): plain(group[0]) for group in words.get("same", ()) for word in group},
        refuse_at=refuse_at,
        warn_at=warn_at,
    )


def _rule(entry: Mapping[str, Any], file: Path) -> SurveyRule:
    name = f"rule {entry.get('id')!r}"
    for key in ("id", "why", "instead"):
        if not isinstance(entry.get(key), str):
            raise ConfigurationError(f"{file}: {name} lacks {key!r}.")
    if entry.get("severity") not in {"refuse", "warn"} or entry.get("applies") not in _APPLIES:
        raise ConfigurationError(
            f"{file}: {name}: severity is refuse or warn, applies one of {', '.join(sorted(_APPLIES))}."
        )
    return SurveyRule(
        id=entry["id"],
        refuses=entry["severity"] == "refuse",
        applies=entry["applies"],
        any_of=tuple(_patterns(entry.get("any", ()), file, name)),
        and_of=tuple(_patterns(entry.get("and", ()), file, name)),
        why=entry["why"],
        instead=entry["instead"],
    )


def _question(entry: Mapping[str, Any], file: Path) -> Question:
    if not isinstance(entry.get("of"), str) or not isinstance(entry.get("en"), str):
        raise ConfigurationError(f"{file}: a question lacks `of` (the instrument) or `en` (its words).")
    return Question(entry["of"], {language: words for language, words in entry.items() if language != "of"})


def _patterns(patterns: Iterable[object], file: Path, where: str) -> Iterable[str]:
    for pattern in patterns:
        try:
            re.compile(str(pattern))
        except re.error as problem:
            raise ConfigurationError(f"{file}: {where}: {pattern!r} is no regular expression: {problem}.") from None
        yield str(pattern)


def _words(entry: object, key: str, file: Path) -> list[str]:
    words = entry.get(key, []) if isinstance(entry, dict) else None
    if not isinstance(words, list) or not all(isinstance(word, str) and word.strip(" *") for word in words):
        raise ConfigurationError(f"{file}: {key} must be a list of words for each language.")
    return words


def _prices(file: Path) -> Prices:
    data = read_toml(file)
    amounts = {
        name: _amount(data.get(name), name, file)
        for name in ("segment", "carrier_fee_lowest", "carrier_fee_highest", "answered_share")
    }
    if amounts["carrier_fee_lowest"] > amounts["carrier_fee_highest"] or amounts["answered_share"] > 1:
        raise ConfigurationError(f"{file}: the lowest fee is above the highest, or answered_share above 1.")
    return Prices(
        **amounts, source=f"{data.get('source', 'no source given')} (seen on {data.get('seen_on', 'no day')})"
    )


def _amount(value: object, name: str, file: Path) -> Decimal:
    try:
        amount = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or amount < 0:
        raise ConfigurationError(f'{file}: {name} is {value!r}; it must be an amount in quotes such as "0.0083".')
    return amount
