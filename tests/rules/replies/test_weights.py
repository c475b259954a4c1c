"""The learned second opinion: how weights add up, when they count beside the rules, and that they explain themselves."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engage.errors import ConfigurationError
from engage.replies.lexicon import WEIGHTS, load_lexicon
from engage.replies.rules import Asked, Intent, Lexicon, Reading, read
from engage.replies.rules.features import Families, Feature, features
from engage.replies.rules.lexicon import Entry, Find
from engage.replies.rules.second import second_opinion
from engage.replies.rules.settle import Verdict
from engage.replies.rules.weights import BELIEF, Opinion, Weights

from .conftest import LEXICON

LABELS = (
    "cancel_visit",
    "confirm",
    "optout",
    "score",
    "symptom",
    "thanks",
    "unclear",
    "urgent",
    "wrong_number",
    "help",
)
BELIEVED = (-1.0, 3.0, 1.0, 0.0, 0.5, 0.5)
WORDS = {"urgent": "slumped", "optout": "enough", "symptom": "sore", "cancel_visit": "away", "confirm": "coffee"}
TABLE = [
    *(f"{label}\t{value}\t{name}" for label in LABELS for name, value in zip(BELIEF, BELIEVED, strict=True)),
    *(f"{label}\t-1\t(begins with)" for label in LABELS),
    *(f"{label}\t3\t{word}" for label, word in WORDS.items()),
]
SMALL = Weights.parse(TABLE)


def opinion(length: int = 9, share: float = 1.0, known: tuple[str, ...] = (), **sums: float) -> Opinion:
    said = {intent: sums.get(intent.value, -6.0) for intent in SMALL.begins}
    return Opinion(said, tuple(Feature(name, 1, 2) for name in known), length, share)


def ruled(*labels: str, kind: str = "", language: str = "en") -> Verdict:
    return Verdict({Intent(x): [Find(Entry(x, x, language, (), kind=kind), 1, 2)] for x in labels}, None, False)


@pytest.mark.parametrize(
    ("rules", "said", "asked", "taken", "both"),
    [
        # What the rules missed is added, and what it explains goes.
        (ruled("unclear"), opinion(urgent=3), "checkin", (), "urgent"),
        (ruled("score", "symptom"), opinion(urgent=3, symptom=1), "checkin", (), "score+urgent"),
        (ruled("confirm"), opinion(confirm=3, symptom=3), "reminder", (), "confirm+symptom"),
        # A text that answers nothing needs a word that weighs alone.
        (ruled("unclear"), opinion(urgent=3), "none", (), "unclear"),
        (ruled("unclear"), opinion(urgent=3, known=("slumped",)), "none", (), "urgent"),
        # Nor does anything but the rules stop the texts of whoever answers nothing: "Don't text and drive!"
        (ruled("unclear"), opinion(optout=9, known=("{texts}",)), "none", (), "unclear"),
        (ruled("unclear"), opinion(optout=3), "checkin", (), "optout"),
        # What a guard took away stays away.
        (ruled("unclear"), opinion(urgent=9), "checkin", ("urgent",), "unclear"),
        # What the rules found wrongly goes: not an emergency in few words, a value, one's own life; never a score.
        (ruled("score", "urgent"), opinion(urgent=-6), "checkin", (), "score"),
        (ruled("score", "urgent"), opinion(length=5, urgent=-6), "checkin", (), "score+urgent"),
        (ruled("urgent", language="value"), opinion(urgent=-6), "checkin", (), "urgent"),
        (ruled("urgent", kind="own life"), opinion(urgent=-6), "checkin", (), "urgent"),
        (ruled("urgent", kind="firm"), opinion(urgent=-6), "checkin", (), "urgent"),
        (ruled("score"), opinion(score=-9, thanks=4), "checkin", (), "score"),
        (ruled("unclear"), opinion(score=9), "checkin", (), "unclear"),
        # One answer to a visit; a wrong number asks nothing more.
        (ruled("cancel_visit"), opinion(cancel_visit=-3, confirm=5), "reminder", (), "confirm"),
        (ruled("help"), opinion(help=1, wrong_number=4), "none", (), "wrong_number"),
        # Not theirs to judge: few words, and words they do not know.
        (ruled("unclear"), opinion(length=3, urgent=9), "checkin", (), "unclear"),
        (ruled("unclear"), opinion(share=0.2, urgent=9), "checkin", (), "unclear"),
        (ruled("thanks"), opinion(thanks=-9, unclear=2), "survey", (), "thanks"),
    ],
)
def test_two_opinions(rules: Verdict, said: Opinion, asked: str, taken: tuple[str, ...], both: str) -> None:
    verdict = second_opinion(rules, said, SMALL, Asked(asked), frozenset(taken), said.length)
    assert "+".join(sorted(i.value for i in verdict.finds)) == both
    assert verdict.is_weighed == (verdict.finds.keys() != rules.finds.keys())


def test_an_emergency_that_is_talked_away_goes_to_a_person() -> None:
    verdict = second_opinion(ruled("score", "urgent"), opinion(urgent=-6), SMALL, Asked.CHECKIN, frozenset(), 9)
    assert verdict.is_doubtful


def test_features_of_a_reply(lexicon: Lexicon) -> None:
    families = Families({"chest": ("chest", "heart"), "bleeds": ("bleed*", "blood_in")})
    items = lexicon.words("no bleeding at 3, heart", "en").items
    names = {f.name for f in features(items, Asked.CHECKIN, families, frozenset({"no"}))}
    assert {"bleeding", "checkin: bleeding", "no~bleeding", "bleed-", "no bleeding", "{bleeds}", "no~{bleeds}"} <= names
    assert {"#", "{chest}", "asked checkin"} <= names
    assert not {"no~heart", "no~{chest}"} & names  # the comma ends what is denied


def test_each_feature_counts_once() -> None:
    once, twice = (SMALL.weigh([Feature("slumped", 1, 2)] * times, 4) for times in (1, 2))
    assert once == twice
    assert once.sums[Intent.URGENT] == pytest.approx(-1 + 3 * 3)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("urgent\t1.0", "line 1"),
        ("alarming\t1.0\tchest", "line 1"),
        ("urgent\tmuch\tchest", "line 1"),
        ("urgent\t1.0\t(begins with)", "lacks"),
    ],
)
def test_a_broken_table_says_where(line: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Weights.parse([line])


def test_a_folder_with_a_broken_table_is_refused(tmp_path: Path) -> None:
    folder = shutil.copytree(LEXICON, tmp_path / "lexicon")
    (folder / WEIGHTS).write_text("urgent\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="line 1"):
        load_lexicon(folder)


def test_without_its_table_the_rules_read_alone(tmp_path: Path) -> None:
    folder = shutil.copytree(LEXICON, tmp_path / "lexicon")
    (folder / WEIGHTS).unlink()
    alone = load_lexicon(folder)
    assert not alone.weights
    assert read("i have chest pain", Asked.NONE, lexicon=alone).intents == (Intent.URGENT,)


# Rows of the corpus that the rules alone did not understand when they came.
ADDED = [
    ("none", "she's slumped over her oatmeal and won't lift her head for me", Intent.URGENT),
    ("none", "no further texts, the nurse tells me everything in person", Intent.OPTOUT),
    ("survey", "felt like I was a bother to her", Intent.COMPLAINT),
]


@pytest.mark.parametrize(("asked", "text", "intent"), ADDED)
def test_what_the_weights_add_is_explained(
    asked: str, text: str, intent: Intent, reads: Callable[..., Reading]
) -> None:
    reading = reads(text, asked)
    told = [e for e in reading.evidence if e.intent is intent]
    assert intent in reading.intents
    assert told
    assert all(e.words == text[e.start : e.end] for e in told)
