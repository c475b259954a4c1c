"""Segment arithmetic: what a text is billed as, and that making it cheaper changes no word."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.sms.rules.segments import count
from engage.sms.rules.smart import smart_encode

SHARED = Path(__file__).parents[4] / "shared" / "data" / "sms"
FAMILY = "👨\u200d👩\u200d👧"  # eight code units that a reader sees as one
FLAG = "🇲🇽"


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "units"),
    [
        ("", "GSM-7", 1, 0),  # Twilio's calculator calls it one
        ("a" * 160, "GSM-7", 1, 160),
        ("a" * 161, "GSM-7", 2, 161),
        ("a" * 306, "GSM-7", 2, 306),
        ("a" * 307, "GSM-7", 3, 307),
        ("{" * 80, "GSM-7", 1, 160),  # an escape and a septet each
        ("{" * 81, "GSM-7", 2, 162),
        ("a" * 152 + "{" + "a" * 152, "GSM-7", 3, 306),  # the pair may not straddle: 306 units, yet three parts
        ("a" * 151 + "{" + "a" * 153, "GSM-7", 2, 306),
        ("\r\n" * 80, "GSM-7", 1, 160),  # both are in the alphabet
        ("\f" * 81, "GSM-7", 2, 162),
        ("éñÑüàÇ¿¡", "GSM-7", 1, 8),  # what Spanish has in GSM-7 …
        ("á" * 70, "UCS-2", 1, 70),  # … and what it has not
        ("á" * 71, "UCS-2", 2, 71),
        ("ç" + "a" * 70, "UCS-2", 2, 71),  # one small letter costs a part; the capital Ç does not
        ("á" + "{" * 69, "UCS-2", 1, 70),  # no escapes in UCS-2
        ("😀" * 35, "UCS-2", 1, 70),
        ("😀" * 36, "UCS-2", 2, 72),
        ("😀" * 67, "UCS-2", 3, 134),  # 33 whole ones in a part of 67
        ("a" + "😀" * 66, "UCS-2", 2, 133),
        ("a" * 60 + FAMILY + "á" * 66, "UCS-2", 3, 134),  # the family moves to the next part as one
        ("a" * 66 + FLAG + "á" * 64, "UCS-2", 3, 134),
        ("á" + "\u0301" * 300, "UCS-2", 5, 301),  # a pile of accents is torn all the same
        ("您好，护士明天上午9点到11点来访。", "UCS-2", 1, 18),
        ("\ud83d", "UCS-2", 1, 1),  # half an emoji
    ],
)
def test_a_text_costs(text: str, encoding: str, segments: int, units: int) -> None:
    counted = count(text)
    assert (counted.encoding, counted.segments, counted.units) == (encoding, segments, units)


def test_says_which_characters_made_it_dear() -> None:
    assert count("José irá mañana, María irá también").not_gsm == ("á", "í")
    assert count("Your nurse José comes mañana").not_gsm == ()


def _vectors() -> list[dict[str, object]]:
    files = ("segments.json", "segments_random.json", "twilio_segments_basic.json")
    return [
        row for name in files if (SHARED / name).is_file() for row in json.loads((SHARED / name).read_text("utf-8"))
    ]


@pytest.mark.parametrize("row", _vectors())
def test_agrees_with_twilios_calculator(row: dict[str, object]) -> None:
    body = str(row["body"])
    assert (count(body).encoding, count(body).segments) == (row["encoding"], row["segments"])
    if "smart_segments" in row:
        smart = count(smart_encode(body))
        assert (smart.encoding, smart.segments) == (row["smart_encoding"], row["smart_segments"])


TEXTS = st.text(st.one_of(st.sampled_from("a {€\né áí😀“”…–\u00a0\u200d\u0301🇺🇸👍🏽"), st.characters()), max_size=400)


@given(TEXTS, TEXTS)
def test_more_text_never_costs_less(text: str, more: str) -> None:
    assert count(text + more).segments >= count(text).segments


@given(TEXTS)
def test_parts_are_enough_and_not_wasteful(text: str) -> None:
    counted = count(text)
    alone, part, most_lost = (160, 153, 1) if counted.encoding == "GSM-7" else (70, 67, 66)
    if counted.units <= alone:
        assert counted.segments == 1
    else:
        assert counted.segments * part >= counted.units > (counted.segments - 1) * (part - most_lost)
    assert bool(counted.not_gsm) == (counted.encoding == "UCS-2")


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("It’s 9–10 am…", "It's 9-10 am..."),
        ("“Joan” « Lee »", "\"Joan\" ' Lee '".replace("'", '"')),
        ("Visit at 2\u00a0pm", "Visit at 2 pm"),
        ("one\ttwo\u200b", "one two"),
        ("Jose\u0301 O’Brien", "José O'Brien"),  # an accent typed apart is joined, not dropped
        ("man\u0303ana", "mañana"),
        # a text that is UCS-2 anyway keeps its punctuation
        ("María’s nurse…", "María’s nurse…"),
        ("您好，明天见…", "您好，明天见…"),
        ("See you 😀…", "See you 😀…"),
        # never letters, digits or symbols that mean something
        ("2½ pills", "2½ pills"),  # not 21/2
        ("Здравствуйте", "Здравствуйте"),
        ("Ｔａｋｅ", "Ｔａｋｅ"),
        ("37 ÷ 2", "37 ÷ 2"),
        # dearer as GSM-7 than as it is: 70 dots in one part, 210 full stops in two
        pytest.param("…" * 70, "…" * 70, id="seventy dots"),
    ],
)
def test_smart_encoding(typed: str, sent: str) -> None:
    assert smart_encode(typed) == sent


@given(TEXTS)
def test_smart_encoding_never_costs_more_and_never_changes_a_word(text: str) -> None:
    smart = smart_encode(text)
    assert count(smart).segments <= count(text).segments
    assert smart_encode(smart) == smart
    assert _words(smart) == _words(text)


def _words(text: str) -> list[str]:
    """Letters and digits; ʼ and its kin count as letters in Unicode, though they are apostrophes."""
    return [c for c in unicodedata.normalize("NFC", text) if c.isalnum() and unicodedata.category(c) != "Lm"]
