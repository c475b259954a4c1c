"""An agency's file: one sentence for each fault, by its place; and the same file for the same agency."""

import re
import tomllib

import pytest

from engage.onboarding.book import load_book
from engage.onboarding.programme import needed_templates
from engage.onboarding.rules.document import AgencyDocument, read_document
from engage.onboarding.rules.sound import check_document
from engage.onboarding.rules.writing import as_toml
from engage.outreach.rules.checks import Severity
from tests.conftest import ROOT

BOOK, NEEDED = load_book(ROOT / "config"), needed_templates(ROOT / "config")
TEXT = (ROOT / "config" / "agencies" / "home-health.toml").read_text(encoding="utf-8")


def notes(text: str) -> list[str]:
    """What is refused, in sentences."""
    found = read_document(tomllib.loads(text))
    if not isinstance(found, AgencyDocument):
        return list(found)
    checked = check_document(found, BOOK, NEEDED)
    return [f"{note.where}: {note.says}" for note in checked if note.severity is Severity.REFUSE]


@pytest.mark.parametrize("path", sorted((ROOT / "config" / "agencies").glob("*.toml")), ids=lambda path: path.stem)
def test_an_example_is_good_and_in_its_normal_form(path: object) -> None:
    text = path.read_text(encoding="utf-8")
    found = read_document(tomllib.loads(text))
    assert isinstance(found, AgencyDocument)
    assert [note for note in check_document(found, BOOK, NEEDED) if note.severity is Severity.REFUSE] == []
    assert text.endswith(as_toml(found))


def test_the_order_of_a_file_does_not_matter() -> None:
    head, *touchpoints = re.split(r"(?=\[\[touchpoint\]\])", TEXT)
    last, rest = re.split(r"(?=\n# --- Who is paged)", touchpoints[-1])
    turned = head + "".join(reversed([*touchpoints[:-1], last])) + rest
    one, other = read_document(tomllib.loads(TEXT)), read_document(tomllib.loads(turned))
    assert turned != TEXT
    assert one == other


FAULTS = [
    # what a field may be
    ('id = "cedar-valley"', "", ["[agency]", "id is missing", "sunrise-hh"]),
    ('id = "cedar-valley"', 'id = "Cedar Valley"', ["small letters"]),
    ('line = "home_health"', 'line = "clinic"', ["line is 'clinic'", "hospice"]),
    ("daily_cap = 5", "daily_cap = 50", ["from 1 to 20"]),
    ("daily_cap = 5", "daily_cap = true", ["daily_cap is True", "number"]),  # Python's True is an int
    ("daily_cap = 5", "dayly_cap = 5", ["'dayly_cap' means nothing"]),
    ("texts_after = 08:00:00", 'texts_after = "8"', ["08:00:00, without quotes"]),
    ("texts_after = 08:00:00", "texts_after = 22:00:00", ["before texts_until"]),
    ("voice_reminders = true", "voice_reminders = 1", ["true or false"]),
    ('time_zone = "America/Chicago"', 'time_zone = "Chicago"', ["no time zone 'Chicago'", "IANA"]),
    ('phone = "+13125550150"', 'phone = "312-555-0150"', ["+12025550150"]),
    ('purpose = "pages"', 'purpose = "page"', ["[[sender]] '+13125550161'", "patients, pages"]),
    ('name = "Cedar Valley North"', 'name = "Cedar\\nValley"', ["one line"]),
    ('reviewed_at = 2026-11-21T00:00:00Z', 'reviewed_at = "yesterday"', ["2026-11-21"]),
    # tables
    ("[agency]", "[agencies]", ["[agencies]: means nothing", "[agency]: is missing"]),
    ('[[touchpoint]]\nkey = "day-of"', '[[touchpoint]]\nkey = "day-before"', ["'day-before'", "twice"]),
    ('  { who = "nurse", wait_minutes = 10 },', '  { who = "doctor", wait_minutes = 10 },', ["step 1", "who is 'doctor'"]),
    # what only makes sense together
    ('ladder = "supervisor"', 'ladder = "boss"', ["'boss'", "not there"]),
    ("[alert.urgent]", "[alert.dire]", ["[alert.urgent]: is missing", "no such kind"]),
    ('branch = "LAKE"', 'branch = "SEA"', ["'SEA'", "not there"]),
    ('purpose = "patients"', 'purpose = "pages"', ['purpose = "patients"']),
    ("offset_minutes = 120", "local_time = 12:00:00", ["visit_completed"]),
    ('asks = "score_1_10"', 'asks = "confirm"', ["alert_at_most"]),
    ('template = "survey"', 'template = "nps"', ["No [[wording]]", "'nps'"]),
    # groups, tapers, questions that follow a score
    ('for_whom = { tags = ["chf", "copd"] }', 'for_whom = { tag = ["chf"] }', ["[[touchpoint]] 'breathing'", "for_whom", "'tag' means nothing"]),
    ('for_whom = { tags = ["chf", "copd"] }', 'for_whom = { from_day = 9, until_day = 2 }', ["nobody would match"]),
    ("{ until_day = 45,", "{ until_day = 15,", ["taper", "never reached"]),
    ('follows = "morning-checkin"', 'follows = "day-before"', ["asks for no score"]),
    ('follows = "morning-checkin"', "", ["lacks follows"]),
    ('yes_opens = "urgent"', 'yes_opens = "complaint"', ["symptom, urgent"]),
    ('alert_at_most = 5', 'follows_at_most = 5', ['belongs to anchor = "score"']),
    ('asks = "yes_no"', 'asks = "confirm"', ["go together"]),
    ("Reply Y or N.", "Reply now.", ["no_answers", "N is missing"]),
    # words
    ('reviewed_by = "Engage founding team"', 'reviewed_by = "engage"', ["somebody else must review"]),
    ("Thank you. See you then.", "Cancel any time.", ["answer-confirmed, character 15", "prints_cancel"]),
    ("Thank you. See you then.", "{{ nurse }}", ["unknown_placeholder"]),
    ("STOP ends texts.", "", ["no_way_out"]),
    ("answer-hospital = ", "answer-clinic = ", ["no reviewed English text for answer-hospital"]),
    ("call-day-of = ", "call-another-day = ", ["no reviewed English text for call-day-of"]),  # it calls landlines
]  # fmt: skip


@pytest.mark.parametrize(("was", "becomes", "says"), FAULTS)
def test_a_fault_is_told_by_its_place(was: str, becomes: str, says: list[str]) -> None:
    assert was in TEXT
    told = notes(TEXT.replace(was, becomes) if was.startswith(("purpose", "offset")) else TEXT.replace(was, becomes, 1))
    assert told
    assert all(sentence.endswith((".", "?")) for sentence in told)
    assert [words for words in says if words not in "\n".join(told)] == [], told


def test_the_exemption_asks_for_a_phone_in_each_text() -> None:
    found = read_document(tomllib.loads(TEXT.replace("voice_reminders = true", "healthcare_exemption = true")))
    assert isinstance(found, AgencyDocument)
    told = [note.where for note in check_document(found, BOOK, NEEDED) if "exemption" in note.says]
    assert {"[[wording]] en, day-before", "[[wording]] en, day-of"} <= set(told)


def test_a_lock_screen_that_would_say_hospice_is_told() -> None:
    found = read_document(tomllib.loads(TEXT.replace('short_name = "Cedar Valley"', 'short_name = "Cedar Hospice"')))
    assert isinstance(found, AgencyDocument)
    told = [note for note in check_document(found, BOOK, NEEDED) if note.where == "[agency]"]
    assert [(note.severity, "lock screen" in note.says) for note in told] == [(Severity.WARN, True)]
