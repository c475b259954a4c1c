"""Checks the wording of a config folder, which new agencies start with: the folder and an agency's facts in, sentences out."""

from pathlib import Path

from engage.onboarding.book import load_book
from engage.onboarding.programme import load_programme
from engage.outreach.rules.checks import House, Purpose, check_wording, refusals
from engage.outreach.rules.words import Asks
from engage.patients.rules.words import Category


def wording_faults(config_dir: Path, house: House) -> list[str]:
    """A sentence for each text of config/messages/ that an agency could not have saved itself; none for good ones.

    Raises ConfigurationError for a folder that cannot be read.
    """
    programme, book = load_programme(config_dir), load_book(config_dir)
    purposes = {
        entry["template"]: (Asks(entry["asks"]), Category(entry["category"])) for entry in programme.touchpoints
    }
    faults = []
    for wording in programme.wordings:
        for template, text in wording.templates.items():
            asks, category = purposes.get(template.removeprefix("call-"), (None, None))
            found = check_wording(text, Purpose(template, wording.language, asks, category), house, book)
            faults += [
                f"messages/{wording.language}.toml, {template}: {finding.rule}: {finding.why} {finding.do}"
                for finding in refusals(found)
            ]
    return faults
