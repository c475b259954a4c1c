"""The form of the labelled replies in tests/corpus: columns, labels, scores, no row twice.

Reads the two files as they are. Never asks whether the program agrees with a label.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

CORPUS = Path(__file__).parents[1] / "corpus"
LANGUAGES = ("en", "es")
HEADER = ["context", "lang", "text", "intents", "score", "note", "half"]
HALVES = {"tuned", "held-out"}
TOP_SCORE = {"checkin": 5, "survey": 10}
CONTEXTS = {*TOP_SCORE, "reminder", "none"}
STAND_ALONE = {"auto_reply", "thanks", "unclear"}
LABELS = STAND_ALONE | {
    "callback", "cancel_visit", "complaint", "confirm", "deceased", "help", "hospitalized", "optin", "optout",
    "question", "reschedule", "score", "symptom", "urgent", "wrong_number",
}  # fmt: skip
PHONE = re.compile(r"(?<!\d)(?:\d{3}[ -]?)?\d{3}[ -]?\d{4}(?!\d)")
INVENTED_PHONE = re.compile(r"555[ -]?01\d\d$")


def lines(lang: str) -> list[str]:
    """The file's lines; only a line feed ends one, because a reply may hold any other character."""
    content = (CORPUS / f"replies_{lang}.tsv").read_bytes().decode("utf-8")
    assert content.endswith("\n"), "the last row has no line end"
    return content[:-1].split("\n")


def faults(line: str, lang: str) -> list[str]:
    """What is wrong with one row's form; empty when nothing is."""
    cells = line.split("\t")
    if len(cells) != len(HEADER):
        return ["columns"]
    context, row_lang, text, intents, score, note, half = cells
    labels = intents.split("+")
    top = TOP_SCORE.get(context, 0)
    wrong = {
        "context": context not in CONTEXTS,
        "lang": row_lang != lang,
        "unknown label": not set(labels) <= LABELS,
        "order": labels != sorted(set(labels)),
        "stands alone": bool(STAND_ALONE.intersection(labels)) and len(labels) > 1,
        "urgent wins over symptom": {"urgent", "symptom"} <= set(labels),
        "score and its label": ("score" in labels) != bool(score),
        "scale": bool(score) and score not in map(str, range(1, top + 1)),
        "control character": "\r" in line or "\ufeff" in line,
        "note has loose ends": note != note.strip(),
        "half": half not in HALVES,
        "a phone number that may be somebody's": any(not INVENTED_PHONE.search(p) for p in PHONE.findall(text)),
    }
    return [name for name, is_wrong in wrong.items() if is_wrong]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_header(lang: str) -> None:
    assert lines(lang)[0].split("\t") == HEADER


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_row_is_well_formed(lang: str) -> None:
    found = {number: faults(line, lang) for number, line in enumerate(lines(lang)[1:], start=2)}
    assert {number: names for number, names in found.items() if names} == {}


def test_no_text_twice_in_one_context() -> None:
    """Across both files: the same words to the same question would count double, or contradict each other."""
    rows = [line.split("\t") for lang in LANGUAGES for line in lines(lang)[1:]]
    counted = Counter((row[0], row[2]) for row in rows)
    assert [key for key, times in counted.items() if times > 1] == []


def test_every_label_and_context_is_covered_in_both_languages() -> None:
    for lang in LANGUAGES:
        rows = [line.split("\t") for line in lines(lang)[1:]]
        assert {label for row in rows for label in row[3].split("+")} == LABELS
        assert {row[0] for row in rows} == CONTEXTS


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("checkin\ten\t3\tscore\t3", "columns"),
        ("checkin\ten\t3\t4\tscore\t3\t", "columns"),  # a tab inside the text
        ("check-in\ten\tok\tunclear\t\t", "context"),
        ("checkin\tes\tok\tunclear\t\t", "lang"),
        ("checkin\ten\tok\tneutral\t\t", "unknown label"),
        ("checkin\ten\tok\t\t\t", "unknown label"),  # no label at all
        ("checkin\ten\t2 my leg\tsymptom+score\t2\t", "order"),
        ("checkin\ten\t2\tscore+score\t2\t", "order"),  # one label twice
        ("reminder\ten\tyes thanks\tconfirm+thanks\t\t", "stands alone"),
        ("checkin\ten\tfell, sore\tsymptom+urgent\t\t", "urgent wins over symptom"),
        ("checkin\ten\t3\tscore\t\t", "score and its label"),
        ("checkin\ten\tsore\tsymptom\t3\t", "score and its label"),
        ("checkin\ten\t6\tscore\t6\t", "scale"),
        ("survey\ten\t0\tscore\t0\t", "scale"),
        ("survey\ten\t7\tscore\t07\t", "scale"),
        ("reminder\ten\t1\tscore\t1\t", "scale"),  # a reminder asks no number
        ("none\ten\tok\r\tunclear\t\t", "control character"),
        ("none\ten\tok\tunclear\t\twhy ", "note has loose ends"),
        ("none\ten\tcall 202-555-0200\tcallback\t\t", "a phone number that may be somebody's"),
    ],
)
def test_a_bad_row_is_seen(line: str, fault: str) -> None:
    assert faults(f"{line}\ttuned", "en") == [fault]


def test_a_row_that_says_neither_half_is_seen() -> None:
    assert faults("checkin\ten\t3\tscore\t3\t\tboth", "en") == ["half"]


@pytest.mark.parametrize(
    "line",
    [
        "checkin\ten\t\tunclear\t\tempty",  # an empty reply is a reply
        "none\ten\t   stop   \toptout\t\t",  # spaces are part of it
        "survey\ten\t10\tscore\t10\t",
        "none\ten\tcall 202 555 0166 after 4\tcallback\t\t",
    ],
)
def test_a_good_row_is_left_alone(line: str) -> None:
    assert faults(f"{line}\theld-out", "en") == []
