"""Which of the meanings found in a reply stand beside each other. Finds, score and question in, intents out.

This is the policy of docs/reference/understanding.md, "Combining", in its order; no words are looked at here except
through the finds.
"""

from collections.abc import Callable
from dataclasses import dataclass

from engage.replies.rules.guards import ENDS, Scene, spoken
from engage.replies.rules.lexicon import Entry, Find
from engage.replies.rules.reading import Asked, Intent
from engage.replies.rules.score import Fit, Score

_LABELS = {i.value: i for i in Intent}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Intents with the finds that led to each; a score; and whether the reply speaks against itself.

    `is_weighed` where the learned weights changed what the rules say; `is_doubtful` where a person must look at that change.
    """

    finds: dict[Intent, list[Find]]
    score: int | None
    contradicts: bool
    is_weighed: bool = False
    is_doubtful: bool = False


def settle(kept: list[Find], score: Score, asked: Asked, scene: Scene) -> Verdict:
    """Apply the policy: urgent first, then what ends the conversation, the visit, the score, the rest."""
    by: dict[str, list[Find]] = {}
    for find in kept:
        by.setdefault(find.entry.means, []).append(find)
    _drop_contained(by, scene)
    if asked is Asked.NONE and "optout" in by:
        _keep(by, "cancel_visit", lambda f: _calls_off(f, scene) or _asks(f, scene))  # "no thank you, no texts"
    if "auto_reply" in by and "urgent" not in by:
        return Verdict({Intent.AUTO_REPLY: by["auto_reply"]}, None, False)
    if "cancel_alone" in by:
        return Verdict({Intent.CANCEL_VISIT: by["cancel_alone"], Intent.OPTOUT: by["cancel_alone"]}, None, False)
    value = _score(by, score, asked)
    if "deceased" in by:
        value = None  # whoever tells us of a death rates nothing; the number is an hour or a date
    _health(by, asked, scene)
    contradicts = _visit(by, asked, scene)
    _talk(by, scene)
    finds = {_LABELS[m]: f for m, f in sorted(by.items()) if m in _LABELS and m not in {"thanks", "unclear"}}
    if value is not None:
        finds[Intent.SCORE] = by.get("ends", [])
    if not finds:
        lone = Intent.THANKS if "thanks" in by and not _answers_nothing(by, score, asked) else Intent.UNCLEAR
        finds[lone] = by.get("thanks", []) if lone is Intent.THANKS else []
        if lone is Intent.UNCLEAR and asked is Asked.SURVEY and score.fit is Fit.NONE and _tells_of_staff(scene):
            finds = {Intent.COMPLAINT: [Find(STORY, 1, len(scene.items) - 1)]}
    return Verdict(finds, value, contradicts)


STORY = Entry(name="a story about staff, with no praise in it", means="complaint", language="shape", says=())
"""Who answers a survey with a story about the staff and neither praise nor a number seldom means well: a person reads it."""

STORY_WORDS = 5
"""Words from which an answer is a story: "she was okay" is none."""


def _tells_of_staff(scene: Scene) -> bool:
    told = spoken(scene.items)
    return len(told) >= STORY_WORDS and bool(
        set(told) & (scene.lists["he_she"] | scene.lists["staff"] | {"they", "them"})
    )


_HELD = {
    "confirm": ("cancel_visit", "complaint", "wrong_number", "hospitalized", "reschedule"),
    "cancel_visit": (
        "confirm",
        "thanks",
        "optout",
        "complaint",
        "deceased",
        "hospitalized",
        "reschedule",
        "wrong_number",
    ),
    "optout": ("complaint", "thanks", "optin", "confirm"),
    "complaint": ("optout", "auto_reply", "optin", "thanks", "confirm"),
    "reschedule": ("complaint", "callback", "hospitalized", "cancel_visit"),
    "condition": ("complaint", "callback"),
    "deceased": ("wrong_number",),
    "wrong_number": ("complaint",),
    "question": ("complaint", "help", "callback", "reschedule", "optout", "optin", "wrong_number", "urgent", "thanks"),
    "callback": ("help", "auto_reply", "complaint", "optout"),
    "help": ("wrong_number", "urgent"),
    "symptom": ("thanks", "complaint", "question", "cancel_visit", "reschedule"),
    "neutral": ("thanks",),
    "optin": ("optout", "thanks"),
    "best_end": ("question",),
    "worst_end": ("question",),
}
"""A meaning is dropped where its words lie within a longer phrase of one of these: "no one will be home"."""


def _drop_contained(by: dict[str, list[Find]], scene: Scene) -> None:
    for means, holders in _HELD.items():
        held = [(f.first, f.last, holder == "thanks") for holder in holders for f in by.get(holder, ())]
        _keep(by, means, lambda f, held=held: not any(_is_held(f, *span) for span in held))  # type: ignore[misc]
    stops = [(f.first, f.last) for f in by.get("optout", ())]
    for means in ("cancel_visit", "optin", "callback", "confirm", "reschedule", "complaint", "auto_reply"):
        _keep(by, means, lambda f: not any(f.first < b and a < f.last for a, b in stops))
    called_off = [(f.first, f.last) for f in by.get("cancel_visit", ())]
    _keep(by, "callback", lambda f: not any(f.first <= a and b <= f.last for a, b in called_off))
    _one_day_off(by, scene)
    rude = [(f.first, f.last) for f in by.get("complaint", ())]
    for means in ("condition", "reschedule"):
        _keep(by, means, lambda f: not any(f.first < b and a < f.last for a, b in rude))
    # "Tired of explaining", "not up to it", "don't want to hear from you": no complaint about health.
    _keep(
        by,
        "symptom",
        lambda f: not any(a < f.last and f.first < b and f.last <= b for a, b in (*rude, *called_off, *stops)),
    )
    for means in ("question", "help"):
        _keep(by, means, lambda f: not any(a < f.first < b or (a == f.first and f.last <= b) for a, b in rude))
    grave = [(f.first, f.last) for f in by.get("urgent", ())]
    life = [(f.first, f.last) for f in by.get("urgent", ()) if f.entry.kind == "own life"]
    _keep(by, "optout", lambda f: not any(f.first < b and a < f.last for a, b in life))
    for means in ("complaint", "question", "cancel_visit", "reschedule", "callback"):
        _keep(by, means, lambda f: not any(f.first < b and a < f.last for a, b in grave))


def _calls_off(find: Find, scene: Scene) -> bool:
    """Whether the word itself is said: "cancel", "skip"; stronger than anything about who will be at home."""
    return any(w.text in scene.lists["calling_off"] for w in scene.items[find.first : find.last])


def _asks(find: Find, scene: Scene) -> bool:
    """Whether it speaks of coming and visits, and not only of who will be at home."""
    return any(w.text in scene.lists["asks_no_visit"] for w in scene.items[find.first : find.last])


def _one_day_off(by: dict[str, list[Find]], scene: Scene) -> None:
    """ "Cancel Wednesday only" asks for no Wednesday, not for another one."""
    ends = [f.last for f in by.get("cancel_visit", ()) if _calls_off(f, scene)]
    _keep(by, "reschedule", lambda f: not any(end - 2 <= f.first <= end and f.last - f.first <= 2 for end in ends))


def _is_held(find: Find, first: int, last: int, is_praise: bool) -> bool:
    within = first <= find.first and find.last <= last
    return within and (find.last - find.first < last - first or is_praise)


def _keep(by: dict[str, list[Find]], means: str, counts: Callable[[Find], bool]) -> None:
    kept = [f for f in by.get(means, ()) if counts(f)]
    if kept:
        by[means] = kept
    else:
        by.pop(means, None)


def _score(by: dict[str, list[Find]], score: Score, asked: Asked) -> int | None:
    """The number, or the ends of the check-in's scale in words."""
    if score.fit is Fit.ON:
        by.pop("ends", None)
        by.pop("bad_word", None)
        return score.value
    best, worst = by.pop("best_end", None), by.pop("worst_end", None)
    if asked is Asked.CHECKIN and score.fit is Fit.NONE and (best or worst) and not (best and worst):
        by["ends"] = best or worst or []
        return 5 if best else 1
    return None


def _health(by: dict[str, list[Find]], asked: Asked, scene: Scene) -> None:
    if "deceased" in by:
        for means in ("hospitalized", "symptom"):
            by.pop(means, None)
        _keep(by, "urgent", lambda f: f.entry.kind == "own life")
    if any(f.entry.kind == "own life" for f in by.get("urgent", ())):
        by.pop("deceased", None)  # who wants to follow the dead is alive
    if "hospitalized" in by:
        by.pop("urgent", None)
        by.pop("symptom", None)
    if "ends" in by:
        # "Much worse" is the number; it is a complaint too only if something else is said.
        spans = [(f.first, f.last) for f in by["ends"]]
        by["symptom"] = [f for f in by.get("symptom", []) if not any(f.first < b and a < f.last for a, b in spans)]
    if "urgent" in by or not by.get("symptom"):
        by.pop("symptom", None)
    if "urgent" in by:
        by.pop("help", None)
        if asked is not Asked.SURVEY:
            # "Does not answer", "nobody can help me": beside an emergency that is the patient, unless staff are named.
            blamed = scene.lists["staff"] | scene.lists["you_they"]
            _keep(by, "complaint", lambda f: any(w.text in blamed for w in scene.items[f.first : f.last]))


def _visit(by: dict[str, list[Find]], asked: Asked, scene: Scene) -> bool:
    """Turn yes, no, conditions and statements about the visit into confirm, cancel_visit and reschedule."""
    yes, no = _answers(by, asked, scene)
    confirm, cancel = _statements(by, scene)
    yes, confirm = _outside_questions(yes, by, scene), _outside_questions(confirm, by, scene)
    condition = by.pop("condition", [])
    if condition and asked is Asked.REMINDER and not _belongs_to_call(condition, by, scene):
        by.setdefault("reschedule", []).extend(condition)
    if "reschedule" in by:
        # Rule 10: a yes with a time is both. "I will be home after 3" without a yes is only the time.
        if yes:
            by["confirm"] = yes
        return False
    if yes and no and not confirm and not cancel:
        return True
    firm = any(_calls_off(f, scene) for f in cancel) and not any(f.entry.kind == "yes" for f in confirm)
    if cancel and (firm or not (confirm and _later(confirm, cancel))):
        by["cancel_visit"] = cancel
    elif no and not confirm:
        by["cancel_visit"] = no
    elif confirm or yes:
        by["confirm"] = [*yes, *confirm]
    return bool((yes or confirm) and cancel)


def _answers(by: dict[str, list[Find]], asked: Asked, scene: Scene) -> tuple[list[Find], list[Find]]:
    """The plain yes and no, where they can be meant for the visit."""
    yes, no = by.pop("yes", []), by.pop("no", [])
    if asked is not Asked.REMINDER or {"wrong_number", "deceased", "hospitalized", "help"} & by.keys():
        return [], []
    if "optout" in by:
        # "Yes stop" is no yes to the visit; "yes and stop texting me" is both, and so is "no and stop texting me".
        return tuple([f for f in answer if _is_joined(f, by["optout"], scene)] for answer in (yes, no))  # type: ignore[return-value]
    return yes, no


def _statements(by: dict[str, list[Find]], scene: Scene) -> tuple[list[Find], list[Find]]:
    """What is said about being there and about not wanting the visit."""
    confirm, cancel = by.pop("confirm", []), by.pop("cancel_visit", [])
    stays = [f for f in confirm if f.entry.kind == "yes"]
    cancel = [f for f in cancel if not any(f.first < s.last and s.first < f.last for s in stays)]
    if {"wrong_number", "deceased", "hospitalized"} & by.keys() and not stays:
        confirm = []
    if {"deceased", "hospitalized"} & by.keys():
        # Rule 26: that nobody will be at home is part of the news; calling the visit off is asked for.
        cancel = [f for f in cancel if _calls_off(f, scene) or _asks(f, scene)]
    return confirm, [] if "wrong_number" in by else cancel


def _outside_questions(finds: list[Find], by: dict[str, list[Find]], scene: Scene) -> list[Find]:
    """ "Can she use the back door" opens no door: what stands behind a question word in its clause is asked, not said."""
    asking = [(scene.clause[f.first], f.first) for f in by.get("question", [])]
    return [f for f in finds if not any(clause == scene.clause[f.first] and at < f.first for clause, at in asking)]


def _is_joined(find: Find, others: list[Find], scene: Scene) -> bool:
    """Whether an "and", a "but" or a full stop stands between this find and the first of the others, whichever comes first."""
    joints = scene.lists["and"] | scene.lists["but"] | ENDS
    first, last = min(f.first for f in others), max(f.last for f in others)
    between = range(find.last - 1, first) if find.last <= first else range(last, find.first)
    return any(scene.items[i].text in joints for i in between)


def _later(one: list[Find], other: list[Find]) -> bool:
    return max(f.first for f in one) > max(f.first for f in other)


def _belongs_to_call(condition: list[Find], by: dict[str, list[Find]], scene: Scene) -> bool:
    """ "Call me after 3": the time is for the call."""
    calls = {scene.clause[f.first] for f in by.get("callback", [])}
    return bool(calls) and all(scene.clause[f.first] in calls for f in condition)


def _talk(by: dict[str, list[Find]], scene: Scene) -> None:
    """Questions that are really something else, and who is asking."""
    if "wrong_number" in by:
        for means in ("help", "question", "confirm"):
            by.pop(means, None)
    taken = {
        scene.sentence[f.first]
        for means in ("reschedule", "callback", "help", "optout", "optin")
        for f in by.get(means, [])
    }
    open_questions = [
        f for f in by.get("question", []) if scene.sentence[f.first] not in taken or f.entry.kind == "firm"
    ]
    if open_questions:
        by["question"] = open_questions
    else:
        by.pop("question", None)
    if "optout" in by:
        # "Why am I still getting these" beside a stop asks for no answer.
        _keep(by, "help", lambda f: scene.items[f.first].text != "why")
        _keep(by, "complaint", lambda f: not _blames_the_texts(f, scene))
        by.pop("complaint", None) if all(f.entry.kind == "texts" for f in by.get("complaint", [])) else None


def _blames_the_texts(find: Find, scene: Scene) -> bool:
    """ "These messages are a nuisance" beside a stop: its clause speaks of texts, and the find of no person."""
    clause = {w.text for w, at in zip(scene.items, scene.clause, strict=True) if at == scene.clause[find.first]}
    inside = {w.text for w in scene.items[find.first : find.last]}
    return bool(clause & scene.lists["about_texts"]) and not inside & (scene.lists["staff"] | scene.lists["you_they"])


def _answers_nothing(by: dict[str, list[Find]], score: Score, asked: Asked) -> bool:
    """Thanks beside a state of health or a number that does not fit is no mere courtesy."""
    return (asked is Asked.CHECKIN and "neutral" in by) or score.fit is Fit.OFF
