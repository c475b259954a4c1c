"""Phone numbers as EMRs and people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.sms.rules.phones import PhoneNumber, PhoneRefusal, display, parse_phone


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("(202) 555-0143", "+12025550143"),
        ("202.555.0143", "+12025550143"),
        ("2025550143", "+12025550143"),
        ("1 202 555 0143", "+12025550143"),
        ("  +1-202-555-0143\n", "+12025550143"),
        ("tel:+1-202-555-0143", "+12025550143"),  # as FHIR writes it
        ("٢٠٢٥٥٥٠١٤٣", "+12025550143"),
        ("+1 312 555 0199", "+13125550199"),  # fictional numbers pass
        ("(237) 555-0143", "+12375550143"),  # an area code this release has not heard of
        ("+1 242 555 0143", "+12425550143"),  # the Bahamas are +1 too
        ("+44 20 7946 0018", "+442079460018"),
        ("011 44 20 7946 0018", "+442079460018"),
    ],
)
def test_is_read(raw: str, e164: str) -> None:
    assert parse_phone(raw) == PhoneNumber(e164)


@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        ("", PhoneRefusal.EMPTY),
        (" \t", PhoneRefusal.EMPTY),
        ("202-555-0143 x123", PhoneRefusal.HAS_EXTENSION),
        ("202-555-0143 ext. 4", PhoneRefusal.HAS_EXTENSION),
        ("2025550143,,12", PhoneRefusal.HAS_EXTENSION),
        ("1-800-FLOWERS", PhoneRefusal.HAS_LETTERS),  # the library would dial it
        ("202-555-0143 (daughter)", PhoneRefusal.HAS_LETTERS),
        ("+1 (2O2) 555-0143", PhoneRefusal.HAS_LETTERS),  # O for 0
        ("555-0143", PhoneRefusal.NO_AREA_CODE),
        ("911", PhoneRefusal.TOO_SHORT),
        ("202555014", PhoneRefusal.TOO_SHORT),
        ("20255501433", PhoneRefusal.TOO_LONG),
        ("202-555-0143 / 202-555-0144", PhoneRefusal.TOO_LONG),
        ("1" * 300, PhoneRefusal.TOO_LONG),
        ("(123) 456-7890", PhoneRefusal.NOT_ASSIGNED),  # no area code begins with 1
        ("(555) 555-0143", PhoneRefusal.NOT_ASSIGNED),
        ("(202) 155-0143", PhoneRefusal.NOT_ASSIGNED),  # no exchange begins with 1
        ("(237) 911-0143", PhoneRefusal.NOT_ASSIGNED),
        ("000 000 0000", PhoneRefusal.NOT_ASSIGNED),
        ("+1 900 555 0143", PhoneRefusal.PREMIUM_RATE),
        ("n/a", PhoneRefusal.NOT_A_NUMBER),
        ("-", PhoneRefusal.NOT_A_NUMBER),
        ("+", PhoneRefusal.NOT_A_NUMBER),
        ("x" * 300, PhoneRefusal.NOT_A_NUMBER),
    ],
)
def test_is_refused(raw: str, refusal: PhoneRefusal) -> None:
    assert parse_phone(raw) is refusal


def test_the_region_decides_how_a_number_without_plus_is_read() -> None:
    assert parse_phone("020 7946 0018", region="GB") == PhoneNumber("+442079460018")


@pytest.mark.parametrize("refusal", PhoneRefusal)
def test_every_refusal_has_a_sentence(refusal: PhoneRefusal) -> None:
    assert refusal.says.endswith(".")


@pytest.mark.parametrize(
    ("e164", "shown"),
    [("+12025550143", "(202) 555-0143"), ("+442079460018", "+44 20 7946 0018"), ("VOTES", "VOTES"), ("", "")],
)
def test_display(e164: str, shown: str) -> None:
    assert display(e164) == shown


@given(st.one_of(st.text(), st.text("0123456789+-() x/.;,", max_size=40)))
def test_never_raises_and_what_it_reads_it_reads_again(raw: str) -> None:
    number = parse_phone(raw)
    if isinstance(number, PhoneNumber):
        assert parse_phone(number.e164) == number
        assert parse_phone(display(number.e164)) == number
    else:
        assert number.says
