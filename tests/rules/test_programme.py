"""What a new agency starts with: the shipped programme and wording, and one sentence for every mistake in them."""

import re
import shutil
from datetime import date, time
from html import escape
from pathlib import Path

import pytest

from engage.alerts.rules.words import AlertKind, Severity, Who
from engage.errors import ConfigurationError
from engage.onboarding.programme import Programme, Wording, load_programme
from engage.outreach.rules import draft
from engage.outreach.rules.calling import KEYS, MOST_SPOKEN
from engage.outreach.rules.paging import named, spoken
from engage.outreach.rules.wording import LANGUAGES, PlannedVisit, either, render, visit_values, visit_when
from engage.outreach.rules.words import Anchor, Asks, Priority
from engage.patients.rules.words import Category
from engage.replies import pressed
from engage.replies.rules import decide
from engage.sms.rules.segments import count
from tests.conftest import ROOT

CONFIG = ROOT / "config"
SHIPPED = load_programme(CONFIG)
TEXTS = {wording.language: wording.templates for wording in SHIPPED.wordings}
TOUCHPOINTS = {touchpoint["template"] for touchpoint in SHIPPED.touchpoints}
CLINICIANS_HAVE = ("page", "note", "call-page", "mail-")
TO_PATIENTS = sorted({key for texts in TEXTS.values() for key in texts if not key.startswith(CLINICIANS_HAVE)})
TO_CLINICIANS = sorted(key for key in TEXTS["en"] if key.startswith(CLINICIANS_HAVE))
EVERY_TEXT = [(language, key) for language, texts in sorted(TEXTS.items()) for key in texts]
SPOKEN = [(language, key) for language, key in EVERY_TEXT if key.startswith("call-")]
MAILED = [(language, key) for language, key in EVERY_TEXT if key.startswith("mail-")]
WRITTEN = [text for text in EVERY_TEXT if text not in SPOKEN + MAILED]
REMINDERS = {touchpoint["template"] for touchpoint in SHIPPED.touchpoints if touchpoint["category"] == Category.VISITS}

# What each text may ask for; docs/reference/wording.md lists the same.
ALWAYS = {"agency", "phone", "patient"}
MORE = {
    "day-before": {"clinicians", "many", "day", "times"},
    "day-of": {"clinicians", "many", "day", "times"},
    "call-day-before": {"clinicians", "many", "day", "times"},
    "call-day-of": {"clinicians", "many", "day", "times"},
    "survey": {"when"},
    "answer-score": {"score"},
    "answer-both": {"score"},
    "answer-sure": {"score"},
    "answer-which": {"either", "name", "score"},
    "answer-which-low": {"either", "name", "score"},
    "answer-clarify": {"top"},
    "page": {"code", "severity"},
    "page-again": {"code", "severity"},
    "note-taken": {"code"},
    "note-taken-by-other": {"code", "who", "at"},
    "note-answered": {"code"},
    "note-resolved": {"code", "who", "at"},
    "page-many": {"count", "severity", "codes"},
    "call-page": {"count", "severity", "spoken"},
    "call-page-taken": {"spoken"},
    "mail-page": {"count", "severity", "codes", "link"},
    "note-taken-many": {"codes"},
    "note-taken-with": {"code", "missing"},
    "note-passed": {"code"},
    "note-done": {"code", "outcome"},
    "note-done-how": {"code"},
    "note-again": {"code", "at"},
    "note-try-again": {"code"},
    "note-promise-broken": {"code"},
    "promise-call": {"at"},
    "enrol": {"visits", "checkins", "surveys", "most"},
    "enrol-again": {"visits", "checkins", "surveys", "most"},
    "enrol-thanks": {"most"},
}
TAKES_TWO = {"enrol", "enrol-again"}  # what CTIA wants said at the first: what about, how often, rates, HELP, STOP

AGENCY, NAMES = "A" * 20, ("Alexandra", "Christina")  # the longest usual ones: 20 letters, and 9
LONGEST_DAY = date(2026, 9, 23)  # "Wed Sep 23", "23 de septiembre"


def filled(language: str, key: str, clinicians: int = 1, severity: int = 3) -> str:
    """A shipped text with the longest usual values, and only those that it may have."""
    values: dict[str, object] = {"agency": AGENCY, "phone": "(202) 555-0143", "patient": "Guadalupe"}
    if "day" in MORE.get(key, set()):
        visit = PlannedVisit(time(10, 30), NAMES[:clinicians])
        values |= visit_values([visit], LONGEST_DAY, language)
    others = {
        "when": visit_when(date(2026, 9, 22), LONGEST_DAY, language),
        "score": 10,
        "top": 10,
        "either": either(["Guadalupe", "Christina"], language),
        "name": "Guadalupe",
        "code": "482137",
        "severity": severity,
        "who": "Alexandra",
        "at": "10:42 AM",
        "count": 8,
        "codes": named(["4821"] * 8),
        "spoken": spoken(["482137"] * 8),
        "missing": 2,
        "outcome": "medicine changed",
        "link": "(the link)",
        **dict.fromkeys(("visits", "checkins", "surveys"), True),
        "most": 140,
    }
    return render(TEXTS[language][key], values | {name: others[name] for name in MORE.get(key, set()) & others.keys()})


def test_both_languages_ship_and_are_reviewed() -> None:
    assert set(TEXTS) == LANGUAGES == {"en", "es"}
    for wording in SHIPPED.wordings:
        assert wording.reviewed_by
        assert isinstance(wording.reviewed_on, date)


def test_whatever_a_patient_may_get_stands_in_every_language() -> None:
    for texts in TEXTS.values():
        assert {key for key in texts if key not in TO_CLINICIANS} == set(TO_PATIENTS)
        assert texts.keys() >= TOUCHPOINTS


def test_every_answer_that_can_be_decided_has_wording() -> None:
    source = Path(decide.__file__).read_text(encoding="utf-8")
    named = set(re.findall(r'"(answer-[a-z-]+)"', source))
    assert named == {key for key in TO_PATIENTS if key.startswith("answer-")}  # neither missing nor never said
    assert named >= draft._LAST_WORDS


def test_every_note_and_page_that_is_sent_has_wording() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "engage").rglob("*.py")]
    named = {
        key
        for source in sources
        for key in re.findall(r'"((?:note|page|call-page|mail)-[a-z-]+|(?:call-)?page)"', source)
    }
    assert set(TO_CLINICIANS) <= named
    assert {key for key in named if key.startswith("note-")} <= set(TO_CLINICIANS)


@pytest.mark.parametrize(("language", "key"), WRITTEN)
def test_a_text_fits_one_segment(language: str, key: str) -> None:
    for severity in Severity:
        body = filled(language, key, severity=severity)
        cost = count(body)
        most = 2 if key in TAKES_TWO else 1
        assert (cost.encoding, cost.segments <= most) == ("GSM-7", True), f"{cost.units} units, {cost.not_gsm}: {body}"


@pytest.mark.parametrize("language", sorted(TEXTS))
@pytest.mark.parametrize("key", ["day-before", "day-of"])
def test_a_reminder_of_two_clinicians_takes_two_segments_at_most(language: str, key: str) -> None:
    cost = count(filled(language, key, clinicians=2))
    assert cost.encoding == "GSM-7"
    assert cost.segments <= 2


@pytest.mark.parametrize(("language", "key"), EVERY_TEXT)
def test_a_text_says_who_we_are_and_nothing_forbidden(language: str, key: str) -> None:
    body = filled(language, key)
    assert body.startswith(AGENCY) or (language, key) in SPOKEN
    assert not re.search(r"cancel", TEXTS[language][key], re.IGNORECASE)  # a carrier blocks the phone that answers it
    assert not re.search(
        r"https?:|www\.|\.(com|org|net|ly)\b", body
    )  # no link: filters, and nobody should learn to tap
    assert "  " not in body
    assert not re.search(r"\.\.|\s[.,;:!]|[,;:]$", body.replace("...", "")), body


@pytest.mark.parametrize(("language", "key"), EVERY_TEXT)
def test_a_text_asks_for_no_unknown_value(language: str, key: str) -> None:
    text = TEXTS[language][key]
    inside = " ".join(re.findall(r"\{\{(.*?)\}\}", text))
    names = set(re.findall(r"[a-z_]+", re.sub(r"'[^']*'", "", inside))) - {"if", "else"}
    assert names <= ALWAYS | MORE.get(key, set())


@pytest.mark.parametrize("language", sorted(TEXTS))
@pytest.mark.parametrize("key", sorted(TOUCHPOINTS))
def test_whatever_nobody_asked_for_says_how_to_end_it(language: str, key: str) -> None:
    assert "STOP" in filled(language, key)


@pytest.mark.parametrize("language", sorted(TEXTS))
@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("answer-urgent", ["911"]),
        ("answer-low-score", ["911"]),
        ("answer-nurse", ["911"]),
        ("answer-person", ["911"]),  # what could not be read may be an emergency
        ("answer-opt-out", ["START", "(202) 555-0143"]),
        ("answer-opt-in", ["STOP"]),
        ("answer-help", ["STOP", "(202) 555-0143"]),  # CTIA: who, how to reach a person, how to end
        ("morning-checkin", ["1", "5"]),
        ("evening-checkin", ["1", "5"]),
        ("survey", ["1", "10"]),
        ("day-before", ["Alexandra", "10:30"]),
        ("day-of", ["Alexandra", "10:30"]),
    ],
)
def test_a_text_has_what_its_reader_needs(language: str, key: str, words: list[str]) -> None:
    body = filled(language, key)
    assert [word for word in words if word not in body] == []


@pytest.mark.parametrize("key", TO_CLINICIANS)
def test_a_text_to_a_nurse_has_no_patient_in_it(key: str) -> None:
    assert "Guadalupe" not in filled("en", key)


# Words that lose an accent or a tilde when somebody saves a segment: choose another word instead.
MISSPELT = r"\b(manana|anos|tambien|telefono|numero|dia|dias|esta bien|mas|rapido|medico|que tal)\b"


@pytest.mark.parametrize("key", TO_PATIENTS)
def test_spanish_is_spelt_correctly_where_gsm_tempts(key: str) -> None:
    text = TEXTS["es"][key]
    assert re.findall(MISSPELT, text, re.IGNORECASE) == []
    assert text.count("?") == text.count("¿")


# --- spoken ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "key"), SPOKEN)
def test_what_is_spoken_fits_twice_into_a_call(language: str, key: str) -> None:
    assert len(escape(filled(language, key, clinicians=2))) <= MOST_SPOKEN


@pytest.mark.parametrize("language", sorted(TEXTS))
@pytest.mark.parametrize("reminder", sorted(REMINDERS))
def test_each_visit_reminder_can_be_spoken_and_tells_its_keys(language: str, reminder: str) -> None:
    said = filled(language, f"call-{reminder}")
    assert [word for word in (AGENCY, "Guadalupe", "10:30", *KEYS) if word not in said] == []


def test_every_answer_to_a_key_has_wording() -> None:
    named = {*pressed._ANSWERS.values(), pressed._TO_A_PERSON}
    reminders = {f"call-{reminder}" for reminder in REMINDERS}
    assert named | reminders == {key for _, key in SPOKEN if key not in TO_CLINICIANS}
    assert set(pressed._ANSWERS) == set(KEYS)


# --- the shipped programme ----------------------------------------------------------------------------------------------


def test_the_touchpoints() -> None:
    said = {
        touchpoint["key"]: (touchpoint["anchor"], touchpoint["asks"], touchpoint["category"], touchpoint["priority"])
        for touchpoint in SHIPPED.touchpoints
    }
    assert said == {
        "day-before": (Anchor.VISIT_DAY, Asks.CONFIRM, Category.VISITS, Priority.DAY_BEFORE),
        "day-of": (Anchor.VISIT_DAY, Asks.CONFIRM, Category.VISITS, Priority.DAY_OF),
        "morning-checkin": (Anchor.EVERY_DAY, Asks.SCORE_1_5, Category.CHECKINS, Priority.CHECK_IN),
        "evening-checkin": (Anchor.EVERY_DAY, Asks.SCORE_1_5, Category.CHECKINS, Priority.CHECK_IN),
        "survey": (Anchor.VISIT_COMPLETED, Asks.SCORE_1_10, Category.SURVEYS, Priority.SURVEY),
    }


def test_a_score_is_asked_for_with_the_number_that_alerts() -> None:
    for touchpoint in SHIPPED.touchpoints:
        asks_score = touchpoint["asks"] in {Asks.SCORE_1_5, Asks.SCORE_1_10}
        assert ("alert_at_most" in touchpoint) is asks_score
    assert {t["key"]: t.get("alert_at_most") for t in SHIPPED.touchpoints if t["asks"] == Asks.SCORE_1_5} == {
        "morning-checkin": 2,
        "evening-checkin": 2,
    }


def test_everything_is_said_within_the_hours() -> None:
    for touchpoint in SHIPPED.touchpoints:
        at = touchpoint.get("local_time")
        assert at is None or SHIPPED.agency["texts_after"] <= at < SHIPPED.agency["texts_until"]


def test_a_usual_day_stays_below_the_cap() -> None:
    """Two check-ins, today's reminder, tomorrow's and a survey."""
    assert len(SHIPPED.touchpoints) <= SHIPPED.agency["daily_cap"]
    assert SHIPPED.agency["daily_cap"] <= SHIPPED.agency["weekly_cap"]


def test_every_kind_of_alert_has_a_ladder_that_reaches_a_second_person() -> None:
    ladders = {ladder.key: ladder for ladder in SHIPPED.ladders}
    assert set(SHIPPED.alerts) == set(AlertKind)
    for rule in SHIPPED.alerts.values():
        assert len({who for who, _ in ladders[rule["ladder"]].steps}) >= 2
        assert rule["severity"] in set(Severity)


def test_urgent_is_the_most_severe_and_the_nurse_hears_first() -> None:
    urgent = SHIPPED.alerts[AlertKind.URGENT]
    assert urgent["severity"] == Severity.URGENT
    assert [rule["severity"] for kind, rule in SHIPPED.alerts.items() if kind != AlertKind.URGENT].count(3) == 0
    (ladder,) = [ladder for ladder in SHIPPED.ladders if ladder.key == urgent["ladder"]]
    assert ladder.steps[0][0] == Who.NURSE
    assert sum(minutes for _, minutes in ladder.steps) <= 60  # everybody on it has been paged within the hour


# --- mistakes -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> Path:
    shutil.copytree(CONFIG, tmp_path / "config")
    return tmp_path / "config"


def spoil(config: Path, file: str, was: str, becomes: str) -> None:
    path = config / file
    text = path.read_text(encoding="utf-8")
    assert was in text
    path.write_text(text.replace(was, becomes, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        (
            'anchor = "visit_day"',
            'anchor = "visit_eve"',
            ["touchpoint 'day-before', anchor", "'visit_eve'", "visit_day, "],
        ),
        ('asks = "confirm"', 'asks = "yes"', ["touchpoint 'day-before', asks", "'yes'", "confirm"]),
        ('category = "visits"', 'category = "news"', ["touchpoint 'day-before', category", "'news'", "checkins"]),
        ("offset_days = -1", "ofset_days = -1", ["touchpoint 'day-before'", "'ofset_days'", "offset_days"]),
        ("useful_minutes = 360", "", ["touchpoint 'day-before' lacks 'useful_minutes'"]),
        ("useful_minutes = 360", "useful_minutes = 0", ["touchpoint 'day-before', useful_minutes", "from 5 to 10080"]),
        (
            "spread_minutes = 30",
            "spread_minutes = 240",
            ["touchpoint 'morning-checkin', spread_minutes", "from 0 to 180"],
        ),
        ("useful_minutes = 360", 'useful_minutes = "6h"', ["touchpoint 'day-before', useful_minutes", "'6h'"]),
        ("priority = 5", "priority = 1", ["touchpoint 'day-before', priority", "from 3 to 9"]),
        ("local_time = 15:00:00", 'local_time = "3 pm"', ["touchpoint 'day-before', local_time", "15:00:00"]),
        ("local_time = 15:00:00", "", ["touchpoint 'day-before'", "local_time"]),  # it would never be planned
        ("offset_minutes = 120", "local_time = 10:00:00", ["touchpoint 'survey'", "offset_minutes"]),
        ('template = "survey"', 'template = "nps"', ["messages/en.toml", "'nps'"]),
        ('who = "on_call"', 'who = "doctor"', ["ladder 'nurse', who", "'doctor'", "on_call"]),
        ("wait_minutes = 10", "wait_minutes = 0", ["ladder 'nurse', wait_minutes", "from 1 to 1440"]),
        (", wait_minutes = 10", "", ["ladder 'nurse', wait_minutes", "None"]),
        ("rounds = 3", "rounds = 0", ["ladder 'nurse', rounds", "from 1 to 20"]),
        ("[alert.urgent]", "[alert.dire]", ["alert is 'dire'", "urgent"]),
        (
            'severity = 3\nladder = "nurse"',
            'severity = 3\nladder = "nurses"',
            ["alert.urgent", "'nurses'", "not there"],
        ),
        ("severity = 3", "severity = 4", ["alert.urgent, severity", "from 1 to 3"]),
        ("acknowledged_minutes = 60", "", ["alert.urgent, acknowledged_minutes", "None"]),
        ("[alert.unreadable]\nseverity = 1\n", "[alert.question.more]\n", ["[alert.unreadable]"]),
        ("daily_cap = 5", "daily_cap = 500", ["agency, daily_cap", "from 1 to 20"]),
        ("daily_cap = 5", "dayly_cap = 5", ["agency has 'dayly_cap'", "daily_cap"]),
        ("texts_after = 08:00:00", "texts_after = 21:00:00", ["agency, texts_after", "texts_until"]),
        ("texts_after = 08:00:00", 'texts_after = "8"', ["agency, texts_after", "08:00:00"]),
        ("texts_after = 08:00:00", "texts_after = 8 am", ["not valid TOML", "line"]),
    ],
)
def test_a_mistake_is_one_sentence_that_says_where(config: Path, was: str, becomes: str, says: list[str]) -> None:
    spoil(config, "default.toml", was, becomes)
    with pytest.raises(ConfigurationError) as problem:
        load_programme(config)
    message = str(problem.value)
    assert [word for word in says if word not in message] == [], message
    assert "\n" not in message
    assert message.endswith(".")


def test_a_ladder_without_steps(config: Path) -> None:
    path = config / "default.toml"
    text = re.sub(r"(?s)steps = \[.*?\n\]", "steps = []", path.read_text(encoding="utf-8"), count=1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="ladder 'nurse' has no steps"):
        load_programme(config)


def test_wording_that_nobody_reviewed_is_read_as_such(config: Path) -> None:
    spoil(config, "messages/es.toml", 'reviewed_by = "Engage founding team"', "")
    (spanish,) = [wording for wording in load_programme(config).wordings if wording.language == "es"]
    assert isinstance(spanish, Wording)
    assert spanish.reviewed_by is None


def test_a_language_that_lacks_a_touchpoint_is_refused(config: Path) -> None:
    spoil(config, "messages/es.toml", "day-of = ", "day-off = ")
    with pytest.raises(ConfigurationError, match=r"messages/es\.toml has no wording for 'day-of'"):
        load_programme(config)


def test_a_further_language_is_a_further_file(config: Path) -> None:
    text = (config / "messages" / "en.toml").read_text(encoding="utf-8")
    (config / "messages" / "ht.toml").write_text(text.replace('language = "en"', 'language = "ht"'), encoding="utf-8")
    programme = load_programme(config)
    assert isinstance(programme, Programme)
    assert [wording.language for wording in programme.wordings] == ["en", "es", "ht"]
