"""What takes a meaning away: denied, long past, only imagined, over, or somebody else's. Words and a find in, reasons out.

Grammar only, the same for every label; which guards count for an entry is written in the lexicon.
"""

from collections.abc import Iterable

from engage.replies.rules.lexicon import Find, Lexicon
from engage.replies.rules.words import Word, Words

ENDS = frozenset({".", "?"})
DENIAL_REACH = 6
IMAGINED_REACH = 6
BEHIND = 5


class Scene:
    """One reply with its guard phrases found once: asks of any span why it should not count."""

    def __init__(self, words: Words, lexicon: Lexicon, main: str) -> None:
        self.words = words
        self.items = words.items
        self.lists = lexicon.lists[main]
        self.marks = lexicon.guards.search(words)
        self.sentence: list[int] = []
        self.clause: list[int] = []
        sentence = clause = 0
        for item in self.items:
            self.sentence.append(sentence)
            self.clause.append(clause)
            if item.text in ENDS:
                sentence += 1
                clause += 1
            elif item.text == "," or item.text in self.lists["but"]:
                clause += 1

    def reasons(self, find: Find) -> frozenset[str]:
        """Those of the entry's guards that apply to this find."""
        checks = {
            "denied": self.denied,
            "past": self.past,
            "longpast": self.longpast,
            "imagined": self.imagined,
            "others": self.others,
            "over": self.over,
            "exerted": self.exerted,
            "usual": self.usual,
        }
        return frozenset(name for name in sorted(find.entry.unless) if checks[name](find))

    def denied(self, find: Find) -> bool:
        """A "no", "not", "without" that reaches the find without a new subject, a "because" or a stop in between."""
        listed = False
        urgent = find.entry.means == "urgent"
        for steps, i in enumerate(range(find.first - 1, -1, -1)):
            text = self.items[i].text
            if text in ENDS or steps > 2 * DENIAL_REACH:
                return False
            if text in self.lists["listing"]:
                listed = True
            elif text == "," and not listed and not self._list_goes_on(find.last):
                return False
            elif text in self.lists["negators"]:
                return self._reaches(i, find.first, listed) and not self._is_an_answer(i)
            elif text in self.lists["denial_breaks"] or (text in self.lists["and"] and urgent):
                return False
        return False

    def _is_an_answer(self, at: int) -> bool:
        """ "No and quit texting", "no please stop": a "no" that answers us denies nothing behind it."""
        after = self.items[at + 1].text
        return (
            self.items[at].text == "no"
            and self.items[at - 1].text in ENDS | {","}
            and (after in self.lists["and"] or after in self.lists["after_an_answer"])
        )

    def _list_goes_on(self, last: int) -> bool:
        following = [w.text for w in self.items[last : last + 4]]
        return any(w in self.lists["listing"] for w in following)

    def _reaches(self, at: int, first: int, listed: bool) -> bool:
        negator = self.items[at].text
        between = [w.text for w in self.items[at + 1 : first]]
        is_reflexive = len(between) > 1 and between[1] in self.lists["clitics"]  # "no se me", but not "no sé"
        if between and between[0] in self.lists["denial_idioms"] and not is_reflexive:
            return False
        if negator in self.lists["strong_negators"]:
            return len(between) <= (2 * DENIAL_REACH if listed else DENIAL_REACH - 2)
        if at > 1 and self.items[at - 1].text in self.lists["able"] and between and not listed:
            # "can not sleep pain all night": what cannot be done is not what is felt.
            return all(w in self.lists["feeling"] | self.lists["bridges"] for w in between) and any(
                w in self.lists["feeling"] for w in between
            )
        if listed and len(between) <= 2 * DENIAL_REACH:
            return True
        return all(w in self.lists["bridges"] or w in self.lists["feeling"] for w in between)

    def past(self, find: Find) -> bool:
        """Something of last week or longer ago, with nothing nearer that says now."""
        clause, sentence = self.clause[find.first], self.sentence[find.first]
        for mark in self._marks("past"):
            if self.sentence[mark.first] != sentence or abs(self.clause[mark.first] - clause) > 1:
                continue
            if mark.first >= find.last and self.items[mark.first - 1].text in self.lists["likening"]:
                continue  # "hurts like when I had my heart attack": then is only what now is like
            gap = _gap(mark, find)
            nows = [m for m in self._marks("present") if self.sentence[m.first] == sentence]
            if self.clause[mark.first] == clause:
                nows = [m for m in nows if self.clause[m.first] == clause]  # "years ago a stroke, today fine"
            if self.clause[mark.first] != clause and any(self.clause[m.first] == clause for m in nows):
                continue
            if not any(_gap(m, find) < gap for m in nows):
                return True
        return False

    def longpast(self, find: Find) -> bool:
        """Years ago: the only past that matters to a death or a stay."""
        sentence = self.sentence[find.first]
        return any(self.sentence[m.first] == sentence and _gap(m, find) <= 5 for m in self._marks("longpast"))

    def imagined(self, find: Find) -> bool:
        """Feared, asked about, or only if: the marker stands before it with at most one subject in between.

        Or just behind it, in the same sentence: "is chest pain a side effect", "fell but caught myself".
        """
        if any(w.text in self.lists["maybe"] for w in self.items[find.first : find.last]):
            return True
        for mark in self._marks("imagined_after"):
            if self.sentence[mark.first] == self.sentence[find.last - 1] and 0 <= mark.first - find.last <= BEHIND:
                return True
        for mark in self._marks("imagined"):
            if mark.first >= find.first or self.sentence[mark.first] != self.sentence[find.first]:
                continue
            between = [w.text for w in self.items[mark.last : find.first]]
            if (
                len(between) <= IMAGINED_REACH
                and sum(w in self.lists["subjects"] for w in between) <= 1
                and "," not in between
                and not any(w in self.lists["but"] for w in between)
            ):
                return True
        return False

    def exerted(self, find: Find) -> bool:
        """Only on the stairs or a walk: with nothing that says it is so at rest too."""
        sentence = self.sentence[find.first]
        exerted = any(self.sentence[m.first] == sentence for m in self._marks("exerted"))
        return exerted and not any(
            self.sentence[m.first] == sentence and self.items[m.first - 1].text not in self.lists["fine"]
            for m in self._marks("resting")
        )

    def usual(self, find: Find) -> bool:
        """As always, a spot of it: nothing new."""
        return any(self.sentence[m.first] == self.sentence[find.first] for m in self._marks("usual"))

    def over(self, find: Find) -> bool:
        """Stopped, gone, better: said just before or just after the find."""
        for mark in self._marks("over_before"):
            near = 0 <= find.first - mark.last <= 2 and self.clause[mark.first] == self.clause[find.first]
            before = {w.text for w in self.items[max(0, mark.first - 2) : mark.first]}
            if near and not before & self.lists["negators"]:
                return True
        if self._turned_out_well(find):
            return True
        for mark in self._marks("over_after"):
            at_once = mark.first == find.last + 1 and self.items[find.last].text == ","  # "nosebleed, stopped"
            here = self.clause[mark.first] == self.clause[find.last - 1]
            if -1 <= mark.first - find.last <= 4 and (here or at_once):
                between = [w.text for w in self.items[find.last : mark.first]]
                if not any(w in self.lists["negators"] for w in between):
                    return True
        return False

    def _turned_out_well(self, find: Find) -> bool:
        """ "Bled a little shaving but it stopped": the same thing, taken up by "it" behind a "but", is over."""
        joints = self.lists["but"] | self.lists["and"]
        for mark in self._marks("over_after"):
            between = [w.text for w in self.items[find.last : mark.first]]
            if (
                mark.first < find.last
                or len(between) > BEHIND + 2
                or self.sentence[mark.first] != self.sentence[find.first]
            ):
                continue
            taken_up = len(between) >= 2 and between[-2] in joints and between[-1] in self.lists["taken_up"]
            if taken_up and not set(between) & self.lists["negators"]:
                return True
        return False

    def tended(self, find: Find) -> bool:
        """Seen to by the staff a survey asks about: "she noticed my rash"; an emergency only if also put right."""
        sentence = self.sentence[find.first]
        mended = any(self.sentence[m.first] == sentence and m.first >= find.first for m in self._marks("mended"))
        if find.entry.means == "urgent" and not mended:
            return False
        return any(
            self.sentence[m.first] == sentence
            and 0 <= find.first - m.last <= BEHIND
            and not any(w.text in self.lists["but"] for w in self.items[m.last : find.first])
            for m in self._marks("tended")
        )

    def others(self, find: Find) -> bool:
        """The last person spoken of before the find is a neighbor, a sister, a dog: not the patient."""
        who, told_of = "", ""
        for i in range(1, find.first):
            text = self.items[i].text
            if text in ENDS:
                who = ""
            elif text in self.lists["staff"]:
                # "The nurse slipped" is not the patient, but "he" after it is not the nurse.
                who = "other" if self._is_subject(i) else who
            elif text in self.lists["others"]:
                if self._introduces_the_sender(i):
                    continue
                told_of = "other"
                if self._is_subject(i):
                    who = "other"
            elif text in self.lists["he_she"]:
                who = told_of or "patient"
            elif text in self.lists["patients"]:
                if not (i + 1 < find.first and self.items[i + 1].text in self.lists["others"]):
                    who = "patient"
                    told_of = "" if text in self.lists["named_patients"] else told_of
            elif text in self.lists["reporters"] and who == "other":
                who = ""
        return (
            who == "other"
            or self._belongs_to_other(find)
            or self._other_follows(find)
            or self._is_told_of(find)
            or self._named_afterwards(find)
        )

    def _named_afterwards(self, find: Find) -> bool:
        """ "He choked at supper, thats my brother in law": who it was is said in the end."""
        texts = [w.text for w in self.items[find.last :]]
        return any(
            first in self.lists["they_are"]
            and second in {"is", "was"}
            and third in {"my", "our", "the"}
            and who in self.lists["others"]
            for first, second, third, who in zip(texts, texts[1:], texts[2:], texts[3:], strict=False)
        )

    def _is_told_of(self, find: Find) -> bool:
        """ "You fell", "before they hit the ground": the word before is you or they, and the find names nobody else."""
        inside = {w.text for w in self.items[find.first : find.last]}
        return self.items[find.first - 1].text in self.lists["you_they"] and not inside & self.lists["patients"]

    def _other_follows(self, find: Find) -> bool:
        """Spanish names who it was behind the verb: "se cayó mi vecina", never "me caí"."""
        around = {w.text for w in self.items[max(0, find.first - 1) : find.last]}
        behind = [w.text for w in self.items[find.last : find.last + 2]]
        return (
            len(behind) == 2
            and behind[0] in self.lists["spanish_determiners"]
            and behind[1] in self.lists["others"]
            and not around & {"me", "yo"}
        )

    def _belongs_to_other(self, find: Find) -> bool:
        inside = [w.text for w in self.items[find.first : find.last]]
        return bool(inside) and inside[0] in self.lists["others"] and not self._introduces_the_sender(find.first)

    def _introduces_the_sender(self, i: int) -> bool:
        before = {w.text for w in self.items[max(0, i - 3) : i]}
        after = self.items[i + 1].text if i + 1 < len(self.items) else "."
        second = self.items[i + 2].text if i + 2 < len(self.items) else "."
        return bool(before & self.lists["introducing"]) or "here" in {after, second} or "aqui" in {after, second}

    def _is_subject(self, i: int) -> bool:
        at = i - 1
        while at > 0 and self.items[at].text in self.lists["determiners"]:
            at -= 1
        before = self.items[at].text
        return before not in self.lists["prepositions"] and not before.endswith(("ing", "ed", "ando", "iendo"))

    def _marks(self, kind: str) -> Iterable[Find]:
        return (m for m in self.marks if m.entry.means == kind)


def _gap(mark: Find, find: Find) -> int:
    if mark.last <= find.first:
        return find.first - mark.last
    return max(0, mark.first - find.last)


def spoken(items: tuple[Word, ...]) -> list[str]:
    """The words without their punctuation."""
    return [w.text for w in items if w.text not in ENDS and w.text not in {",", "*", "~"}]
