"""Whose words these are, on a phone that serves two: a name, a place beside a number, both, or nobody's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.replies.rules.whose import Part, parts_of

ROSE, AL = 1, 2
NAMES = {ROSE: "Rose", AL: "Al"}


def both(words: str) -> list[Part]:
    return [Part((ROSE, AL), words)]


def each(rose: str, al: str) -> list[Part]:
    return [Part((ROSE,), rose), Part((AL,), al)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Rose 2", [Part((ROSE,), "2")]),
        ("2 for Rose", [Part((ROSE,), "2")]),
        ("Al is a 4", [Part((AL,), "is a 4")]),
        ("Rosé 3", [Part((ROSE,), "3")]),  # a phone's spelling help
        ("ROSE'S 3", [Part((ROSE,), "3")]),
        ("Rose", [Part((ROSE,), "")]),
        ("for rose", [Part((ROSE,), "")]),
        ("al", [Part((AL,), "")]),
        ("Rose 2 Al 4", each("2", "4")),
        ("2 rose, 4 al", each("2", "4")),
        ("2 for Rose and 4 for Al", each("2", "4")),
        ("Rose: 2\nAl: 4", each("2", "4")),
        ("Rose's leg is swollen, Al is a 5", each("leg is swollen", "is a 5")),
        ("both 4", both("4")),
        ("los dos 4", both("4")),
        ("Rose and Al 4", both("and 4")),
        # nobody's, or not clearly anybody's
        ("4", []),
        ("", []),
        ("me duele al caminar", []),  # "al" is a Spanish word, and beside no number
        ("al doctor a las 4", []),
        ("Rose is fine but I feel 2", []),  # the 2 is the writer's, and we do not know who writes
        ("roses are 4", []),
    ],
)
def test_parts(text: str, parts: list[Part]) -> None:
    assert list(parts_of(text, NAMES)) == parts


@pytest.mark.parametrize(
    "names",
    [{}, {ROSE: "Rose"}, {ROSE: "Rose", AL: "rose"}],  # one patient needs no name; two of one name cannot be told apart
)
def test_without_two_names_nobody_is_named(names: dict[int, str]) -> None:
    assert parts_of("Rose 2", names) == ()


@given(st.text(max_size=60))
def test_any_text_has_parts_of_known_patients(text: str) -> None:
    for part in parts_of(text, NAMES):
        assert set(part.patients) <= {ROSE, AL}
