"""Which passwords will do: length and guessability, nothing else."""

import pytest

from engage.console.passwords import Passwords, commonest, guesses
from engage.console.rules.passwords import LONGEST, Weakness, is_guessed_soon, own_words, weakness

OWN = own_words("Ana Tester", "ana.tester@example.org", "Sunrise Home Health", "sunrise")
WORDS = commonest() | OWN


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("five purple geese", None),
        ("fivepurplegeese", None),  # no digit, no capital, no sign is asked for
        ("ñandú açaí über!", None),
        ("🐫🐫🐪🐫🐪🐪🐫🐪🐫🐫🐪🐪", Weakness.GUESSED_FIRST),  # no letter at all: two signs
        ("elevensigns", Weakness.TOO_SHORT),
        ("twelvesignsx", None),
        ("xk" * (LONGEST // 2) + "z", Weakness.TOO_LONG),
        ("aaaaaaaaaaaaaaa", Weakness.REPEATED),
        ("abcdabcdabcdabc", Weakness.REPEATED),
        ("123456789012345", Weakness.IN_ORDER),
        ("zyxwvutsrqponmlk", Weakness.IN_ORDER),
        ("Password123!Password", Weakness.GUESSED_FIRST),
        ("ILoveYou-2026-08", Weakness.GUESSED_FIRST),
        ("9281 7364 5501 22", Weakness.GUESSED_FIRST),  # digits alone: a phone, a birthday, a card
        ("Sunrise.Home.Health.1", Weakness.GUESSED_FIRST),
        ("anaTester2026!!", Weakness.GUESSED_FIRST),
        ("anaTester likes trout", None),  # a part of one's name is fine, NIST compares the whole
        ("ｆｉｖｅ", Weakness.TOO_SHORT),
    ],
)
def test_weaknesses(password: str, why: Weakness | None) -> None:
    assert weakness(password, WORDS) is why


@pytest.mark.parametrize(
    ("password", "is_soon"),
    [
        ("christopher1", True),  # in the list as it is
        ("manchesterunited", True),
        ("Liverpoolfc1234", True),
        ("1qaz2wsx3edc", True),  # a row of keys
        ("basketball23!", True),
        ("Summer2026!!!!", True),  # a season and a year: what a rule about digits and signs makes people do
        ("November2026!", True),
        ("hello hello hello", True),
        ("anatester1984", True),  # her own name, and a year
        ("sunrisehealth22", True),
        ("five purple geese", False),
        ("another purple goose", False),
        ("mi perro se llama lola", False),
        ("k3v9q2x8m1z7", False),
        ("4@8({[<369&#!1/|0$5+7%2" * 11, False),  # signs that may stand for letters: it takes a moment, and not ten
    ],
)
def test_what_is_guessed_soon(password: str, is_soon: bool) -> None:
    assert is_guessed_soon(guesses(password, OWN)) is is_soon


def test_production_hashes_as_rfc_9106_says() -> None:
    """The parameters that users get; everywhere else tests hash quickly."""
    passwords = Passwords()
    kept = passwords.hash("five purple geese")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.is_right(kept, "five purple geese")
    assert not passwords.is_right(kept, "five purple goose")
    assert not passwords.is_right(None, "nobody has this password")  # not even the one that nobody has
    assert not passwords.is_outdated(kept)


def test_another_keyboard_types_the_same_accent() -> None:
    passwords = Passwords()
    assert passwords.is_right(passwords.hash("man\u0303ana por la man\u0303ana"), "ma\u00f1ana por la ma\u00f1ana")
