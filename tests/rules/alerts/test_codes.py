"""The code of an alert in whatever a nurse types around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.alerts.rules.codes import codes_in


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4821", ["4821"]),
        ("ack 4821", ["4821"]),
        ("4821 ok", ["4821"]),
        ("'4821'", ["4821"]),
        ("“4821”.", ["4821"]),
        ("#4821!", ["4821"]),
        ("ok4821thx", ["4821"]),
        ("4821\n5930", ["4821", "5930"]),
        ("5930 and 4821", ["5930", "4821"]),  # in the order of the text
        ("4821 4821", ["4821"]),
        ("４８２１", ["4821"]),  # full-width
        ("٤٨٢١", ["4821"]),  # and any other digits
        ("48213", ["48213"]),
        ("482137", ["482137"]),
        ("4821 593021", ["4821", "593021"]),
        ("4821-5930", ["4821", "5930"]),  # no phone number has this shape
        ("482137 5930", ["482137", "5930"]),
        ("4821 took it at 930", ["4821"]),
        ("", []),
        ("ok", []),
        ("482", []),
        ("4 8 2 1", []),  # spelt out: help explains
        ("4821375", []),
        ("½821", []),  # not a digit
        ("²4821", ["4821"]),
        # a number to call back, however it is written
        ("2025554821", []),
        ("+12025554821", []),
        ("202-555-4821", []),
        ("(202) 555-4821", []),
        ("(202)555-4821", []),
        ("202 555 4821", []),
        ("202.555.4821", []),
        ("1-202-555-4821", []),
        ("+1 202 555 4821", []),
        ("+1202-555-4821", []),
        ("202–555–4821", []),
        ("555-4821", []),
        ("4821 call me at 202-555-5930", ["4821"]),
        ("call 202-555-5930 about 4821", ["4821"]),
    ],
)
def test_codes_in(text: str, expected: list[str]) -> None:
    assert codes_in(text) == tuple(expected)


codes = st.integers(1000, 999999).map(str)
around = st.text(st.characters(exclude_categories=("Nd",)), max_size=30)


@given(codes, around, around)
def test_a_code_is_found_in_whatever_words(code: str, before: str, after: str) -> None:
    assert codes_in(before + code + after) == (code,)


@given(st.lists(codes, max_size=5, unique=True), st.sampled_from([", ", " and ", "\n", "/", "; "]))
def test_several_codes_are_all_found(several: list[str], between: str) -> None:
    assert codes_in(between.join(several)) == tuple(several)


@given(st.text())
def test_it_never_finds_what_could_be_no_code(text: str) -> None:
    assert all(4 <= len(code) <= 6 and code.isascii() and code.isdecimal() for code in codes_in(text))
