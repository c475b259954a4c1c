"""What a batch has already decided to send, for the messages after it: no row says so yet, but it counts. Pure.

A tally of marks goes in; a draft that knows of them comes out. Several messages to one phone are often due at once.
"""

from collections.abc import Hashable, Mapping
from dataclasses import replace

from engage.outreach.rules.draft import Draft
from engage.outreach.rules.words import Kind
from engage.patients.rules.loops import Answered

_ANSWERS = frozenset({Kind.ANSWER, Kind.OPT_OUT_CONFIRMATION, Kind.NOTE})
_COUNTED = frozenset({Kind.TOUCHPOINT, Kind.ENROLMENT})
_UNASKED, _ANSWER = "unasked", "answer"


def marks(draft: Draft) -> tuple[Hashable, ...]:
    """What to tally when `draft` leaves: one more text to its phone, and the occasion it is about."""
    if draft.phone is None:
        return ()
    if draft.kind in _ANSWERS:
        return ((_ANSWER, draft.phone),)
    if draft.kind not in _COUNTED:
        return ()
    return ((_UNASKED, draft.phone), *([(draft.occasion, draft.phone)] if draft.occasion else []))


def counting(draft: Draft, tally: Mapping[Hashable, int]) -> Draft:
    """`draft` with what the batch already sends to its phone, for the caps, the loop guard and shared phones."""
    if draft.phone is None:
        return draft
    unasked, answers = tally.get((_UNASKED, draft.phone), 0), tally.get((_ANSWER, draft.phone), 0)
    is_told = draft.occasion is not None and tally.get((draft.occasion, draft.phone), 0) > 0
    if not (unasked or answers or is_told):
        return draft
    if draft.clinician is not None:
        return replace(draft, clinician=replace(draft.clinician, answered=_more(draft.clinician.answered, answers)))
    if draft.reader is None:
        return draft
    reader = replace(
        draft.reader,
        sent_today=draft.reader.sent_today + unasked,
        sent_this_week=draft.reader.sent_this_week + unasked,
        is_told=draft.reader.is_told or is_told,
        answered=_more(draft.reader.answered, answers),
    )
    return replace(draft, reader=reader)


def _more(answered: Answered, by: int) -> Answered:
    return Answered(answered.lately + by, answered.in_a_day + by)
