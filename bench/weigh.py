"""Learns the weights of the second opinion: labelled rows in, config/lexicon/weights.tsv out.

`python bench/weigh.py` learns from the tuned half of tests/corpus and says how the two opinions read rows that neither
had seen (five-fold). `python bench/weigh.py --remember FILE...` first notes what today's rules alone say of new rows, in
tests/corpus/first_sight.tsv: how far the weights may be believed beside the rules can only be learned from rows that the
rules were not written with in view. Needs scikit-learn, which nothing else here does. Never reads a held-out row.
"""

import argparse
import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from engage.replies.lexicon import WEIGHTS, load_lexicon
from engage.replies.rules import Asked, Intent, Lexicon, read
from engage.replies.rules.features import Feature, features
from engage.replies.rules.guards import spoken
from engage.replies.rules.lexicon import Entry, Find
from engage.replies.rules.quotes import own_words
from engage.replies.rules.second import second_opinion
from engage.replies.rules.settle import Verdict
from engage.replies.rules.understand import taken_away
from engage.replies.rules.weights import BELIEF, SPREAD, Opinion, Trust, Weights

ROOT = Path(__file__).parents[1]
LEXICON = ROOT / "config" / "lexicon"
CORPUS = ROOT / "tests" / "corpus"
FIRST_SIGHT = CORPUS / "first_sight.tsv"
FOLDS = 5
RARE = 3
"""Rows a feature must stand in."""
STRENGTH = 4.0
"""The inverse of the penalty on large weights (scikit-learn's C)."""
SMALL = 0.4
"""Weights below this are left out of the file."""
LABELS = tuple(Intent)
ORDINARY = ROOT.parent / "shared" / "data" / "sms" / "uci_sms_spam.tsv"
CONTROLLED = frozenset(Intent) - {
    Intent.UNCLEAR,
    Intent.THANKS,
    Intent.QUESTION,
    Intent.CONFIRM,
    Intent.SCORE,
    Intent.CALLBACK,
    Intent.RESCHEDULE,
}
"""What an ordinary text to a friend never means."""
ORDINARY_WEIGHT = 3


@dataclass(frozen=True)
class Row:
    """A labelled reply, its features, and what the rules alone said when they first saw it, if that is known."""

    wanted: frozenset[Intent]
    features: frozenset[str]
    ruled: frozenset[Intent] | None
    group: str
    length: int
    taken: frozenset[str]
    asked: Asked


def key(context: str, text: str) -> str:
    """What a row is known by in first_sight.tsv."""
    return hashlib.sha256(f"{context}\t{text}".encode()).hexdigest()[:12]


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened, delimiter="\t", quoting=csv.QUOTE_NONE))


def rules_alone() -> Lexicon:
    return load_lexicon(LEXICON, is_weighed=False)


def remember(files: Iterable[Path]) -> None:
    """Note what the rules alone say of rows that nobody has seen yet."""
    lexicon = rules_alone()
    known = {row["row"]: row["read"] for row in table(FIRST_SIGHT)} if FIRST_SIGHT.exists() else {}
    for file in files:
        for row in table(file):
            reading = read(row["text"], Asked(row["context"]), lexicon=lexicon, language=row["lang"])
            known.setdefault(key(row["context"], row["text"]), "+".join(i.value for i in reading.intents))
    lines = [f"{name}\t{said}\n" for name, said in sorted(known.items())]
    FIRST_SIGHT.write_text("row\tread\n" + "".join(lines), encoding="utf-8")


def labels(joined: str) -> frozenset[Intent]:
    return frozenset(Intent(label) for label in joined.split("+"))


def rows() -> list[Row]:
    """The tuned half of the corpus."""
    lexicon = rules_alone()
    first = {row["row"]: labels(row["read"]) for row in table(FIRST_SIGHT)}
    found = []
    for language in ("en", "es"):
        for row in table(CORPUS / f"replies_{language}.tsv"):
            if row["half"] != "tuned":
                continue
            own = own_words(row["text"], lexicon.lists["en"]["reactions"], lexicon.lists["en"]["prompts"])
            main = lexicon.main_language(own.text, row["lang"])
            items = lexicon.words(own.text, main).items
            seen = features(items, Asked(row["context"]), lexicon.families[main], lexicon.lists[main]["negators"])
            said = first.get(key(row["context"], row["text"]))
            taken = taken_away(row["text"], Asked(row["context"]), lexicon, row["lang"])
            names = frozenset(f.name for f in seen)
            found.append(
                Row(labels(row["intents"]), names, said, language, len(spoken(items)), taken, Asked(row["context"]))
            )
    return found


def ordinary() -> list[Row]:
    """Every second text of a public corpus of ordinary texting, where it is beside the checkout: what means none of it.

    The other half stays for tests/rules/replies/test_corpus.py, which counts on it. Those the rules read as one of
    CONTROLLED are left out: a few of them mean it.
    """
    lexicon, found = rules_alone(), []
    lines = ORDINARY.read_text(encoding="utf-8", errors="replace").split("\n") if ORDINARY.exists() else []
    for line in lines:
        kind, _, text = line.partition("\t")
        if kind != "ham" or is_counted(text):
            continue
        if not CONTROLLED & set(read(text, Asked.NONE, lexicon=lexicon).intents):
            items = lexicon.words(text, "en").items
            seen = features(items, Asked.NONE, lexicon.families["en"], lexicon.lists["en"]["negators"])
            found.append(
                Row(frozenset(), frozenset(f.name for f in seen), None, "ordinary", 0, frozenset(), Asked.NONE)
            )
    return found


def is_counted(text: str) -> bool:
    """Whether a text of the public corpus is only counted, never learned from."""
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 1


def matrix(rows: Sequence[Row], vocabulary: dict[str, int]) -> Any:
    columns = [[vocabulary[f] for f in sorted(row.features) if f in vocabulary] for row in rows]
    values = [SPREAD / np.sqrt(max(1, len(c))) for c in columns for _ in c]
    starts = np.cumsum([0, *map(len, columns)])
    return sparse.csr_matrix((values, [i for c in columns for i in c], starts), shape=(len(rows), len(vocabulary)))


def learn(rows: Sequence[Row]) -> Weights:
    """One penalised logistic regression a label over the features; no trust yet."""
    counts = Counter(name for row in rows for name in row.features)
    vocabulary = {name: i for i, name in enumerate(sorted(name for name, count in counts.items() if count >= RARE))}
    table, begins = matrix(rows, vocabulary), {}
    patients = [row.group != "ordinary" for row in rows]
    share = [1.0 if patient else ORDINARY_WEIGHT for patient in patients]
    by_feature: dict[str, list[tuple[Intent, float]]] = {name: [] for name in vocabulary}
    for label in LABELS:
        counted = [i for i, patient in enumerate(patients) if patient or label in CONTROLLED]
        answers = [label in rows[i].wanted for i in counted]
        model = LogisticRegression(C=STRENGTH, solver="liblinear", max_iter=300, random_state=1)
        model.fit(table[counted], answers, sample_weight=[share[i] for i in counted])
        begins[label] = round(float(model.intercept_[0]), 2)
        for name, weight in zip(vocabulary, model.coef_[0], strict=True):
            if abs(weight) >= SMALL:
                by_feature[name].append((label, round(float(weight), 2)))
    kept = {name: tuple(weights) for name, weights in by_feature.items() if weights}
    return Weights(begins, kept, {})


def sums(weights: Weights, rows: Sequence[Row]) -> Any:
    """What the weights say of each row, a column for each label."""
    vocabulary = {name: i for i, name in enumerate(weights.by_feature)}
    dense = np.zeros((len(vocabulary), len(LABELS)))
    for name, weighed in weights.by_feature.items():
        for label, weight in weighed:
            dense[vocabulary[name], LABELS.index(label)] = weight
    return matrix(rows, vocabulary) @ dense + np.array([weights.begins[label] for label in LABELS])


def held_out_sums(rows: Sequence[Row], learns: Callable[[Sequence[Row]], Weights]) -> Any:
    """For every row, what weights say that were learned without it."""
    said = np.zeros((len(rows), len(LABELS)))
    for train, test in KFold(FOLDS, shuffle=True, random_state=1).split(rows):
        said[test] = sums(learns([rows[i] for i in train]), [rows[i] for i in test])
    return said


def trust(rows: Sequence[Row], said: Any) -> dict[Intent, Trust]:
    """How far each label's sum may be believed beside the rules: a logistic regression of a few numbers a label."""
    believed = {}
    ruled = [row.ruled or frozenset() for row in rows]
    nothing = np.array([Intent.UNCLEAR in r for r in ruled], float)
    symptom = np.array([Intent.SYMPTOM in r for r in ruled], float)
    for column, label in enumerate(LABELS):
        found = np.array([label in r for r in ruled], float)
        parts = np.column_stack([
            found, said[:, column], found * said[:, column],
            nothing * (label is not Intent.UNCLEAR), symptom * (label is Intent.URGENT),
        ])  # fmt: skip
        model = LogisticRegression(C=1.0, max_iter=3000).fit(parts, [label in row.wanted for row in rows])
        believed[label] = Trust(*(round(float(number), 2) for number in (model.intercept_[0], *model.coef_[0])))
    return believed


def both(row: Row, said: Sequence[float], weights: Weights) -> frozenset[Intent]:
    """What the two opinions come to, as at run time."""
    find = {label: [Find(Entry(label.value, label.value, "en", ()), 0, 0)] for label in row.ruled or ()}
    known = tuple(Feature(name, 1, 2) for name in sorted(row.features) if name in weights.by_feature)
    opinion = Opinion(dict(zip(LABELS, said, strict=True)), known, row.length, 1.0)
    return frozenset(
        second_opinion(Verdict(find, None, False), opinion, weights, row.asked, row.taken, row.length).finds
    )


def count(name: str, rows: Sequence[Row], read: Sequence[frozenset[Intent]]) -> None:
    """Print how a set of readings stands to what was wanted."""
    exact = sum(row.wanted == found for row, found in zip(rows, read, strict=True))
    line = f"{name:<22} rows {len(rows):>5}  exact {exact / max(1, len(rows)):.3f}"
    for label in (Intent.URGENT, Intent.OPTOUT, Intent.COMPLAINT):
        wanted = [label in row.wanted for row in rows]
        hit = sum(label in found for found, want in zip(read, wanted, strict=True) if want)
        false = sum(label in found for found, want in zip(read, wanted, strict=True) if not want)
        line += f"  {label.value} {hit}/{sum(wanted)} false {false}"
    print(line)


def write(weights: Weights, file: Path) -> None:
    """The table by label, what speaks for it first; a clinician reads it from both ends."""
    lines = [
        "# Learned by bench/weigh.py from the tuned half of tests/corpus; see docs/reference/understanding.md. Do not edit by hand.",
        "# label, weight, feature. {class} is a class of the lexicon, no~word a denied one, word- any ending, # a number,",
        '# "checkin: word" a word after that question; in parentheses how far the label is believed beside the rules.',
    ]
    for label in sorted(LABELS, key=lambda i: i.value):
        believed = weights.trust[label]
        lines += [f"{label.value}\t{value:+.2f}\t{name}" for name, value in zip(BELIEF, astuple(believed), strict=True)]
        lines.append(f"{label.value}\t{weights.begins[label]:+.2f}\t(begins with)")
        mine = sorted(
            ((w, name) for name, weighed in weights.by_feature.items() for i, w in weighed if i is label),
            key=lambda pair: (-pair[0], pair[1]),
        )
        lines += [f"{label.value}\t{weight:+.2f}\t{name}" for weight, name in mine]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--remember", nargs="+", type=Path, metavar="FILE", help="note what the rules alone say of new rows"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the figures and write nothing")
    asked = parser.parse_args()
    if asked.remember:
        remember(asked.remember)
        return
    all_rows, others = rows(), ordinary()
    said = held_out_sums(all_rows, lambda train: learn([*train, *others]))
    weights = learn([*all_rows, *others])
    new = [i for i, row in enumerate(all_rows) if row.ruled is not None]
    fresh = [all_rows[i] for i in new]
    readings: list[frozenset[Intent]] = [frozenset()] * len(fresh)
    for train, test in KFold(FOLDS, shuffle=True, random_state=5).split(fresh):
        believed = replace(weights, trust=trust([fresh[i] for i in train], said[[new[i] for i in train]]))
        for i in test:
            readings[i] = both(fresh[i], said[new[i]], believed)
    for language in ("en", "es"):
        mine = [i for i, row in enumerate(fresh) if row.group == language]
        count(f"{language}, rules alone", [fresh[i] for i in mine], [fresh[i].ruled or frozenset() for i in mine])
        count(f"{language}, both", [fresh[i] for i in mine], [readings[i] for i in mine])
    if not asked.dry_run:
        write(replace(weights, trust=trust(fresh, said[new])), LEXICON / WEIGHTS)


if __name__ == "__main__":
    main()
