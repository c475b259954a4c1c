"""How many segments a text is sent and paid as, counted on its own so that it can judge Engage's count.

In: the body. Out: `num_segments` as Twilio's own calculator gives it (facts/twilio.md §11).
"""

from collections.abc import Iterable

_GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_7_ESCAPED = frozenset("\f^{}\\[~]|€")  # sent as escape + character: two septets


def segments_of(body: str) -> int:
    """Segments of `body`: GSM-7 160 alone or 153 a part, else UCS-2 70 or 67; an empty text is one."""
    if _GSM_7.issuperset(body):  # by far the usual case
        return _parts((1 for _ in body), len(body), alone=160, each=153)
    if all(c in _GSM_7 or c in _GSM_7_ESCAPED for c in body):
        costs = [2 if c in _GSM_7_ESCAPED else 1 for c in body]
        return _parts(costs, sum(costs), alone=160, each=153)
    costs = [2 if ord(c) > 0xFFFF else 1 for c in body]
    return _parts(costs, sum(costs), alone=70, each=67)


def _parts(costs: Iterable[int], total: int, *, alone: int, each: int) -> int:
    if total <= alone:
        return 1
    parts, filled = 1, 0
    for cost in costs:  # a pair (escape sequence or surrogates) is never split over two parts
        if filled + cost > each:
            parts, filled = parts + 1, 0
        filled += cost
    return parts
