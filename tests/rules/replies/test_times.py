"""The days and hours a patient asks for, as values in the patient's own zone."""

from datetime import date, time

import pytest

from engage.replies.rules import Asked, Lexicon, read

FRIDAY = date(2026, 11, 20)
AFTER_3 = (None, time(15), None)


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("can you come thurs after 3", "en", [(date(2026, 11, 26), time(15), None)]),
        ("yes but after 3", "en", [AFTER_3]),
        ("could you come monday instead", "en", [(date(2026, 11, 23), None, None)]),
        ("reschedule to tomorrow morning please", "en", [(date(2026, 11, 21), time(8), time(12))]),
        ("how about 5 pm", "en", [(None, time(17), time(17))]),
        ("yes as long as its before noon", "en", [(None, None, time(12))]),
        ("move it to the 5th", "en", [(date(2026, 12, 5), None, None)]),
        ("can we do next week", "en", [(date(2026, 11, 23), None, None)]),
        ("puede venir el jueves por la tarde?", "es", [(date(2026, 11, 26), time(12), time(17))]),
        ("si pero despues de las 3", "es", [AFTER_3]),
        ("move it to Dec 5 please", "en", [(date(2026, 12, 5), None, None)]),
        ("can we do december 5th after 3", "en", [(date(2026, 12, 5), time(15), None)]),
        ("reschedule to 1/4", "en", [(date(2027, 1, 4), None, None)]),
        ("can you come in two days instead", "en", [(date(2026, 11, 22), None, None)]),
        ("could she come on the weekend instead", "en", [(date(2026, 11, 21), None, None)]),
        ("puede ser la semana que viene?", "es", [(date(2026, 11, 23), None, None)]),
        ("cámbienla para el 5 de diciembre", "es", [(date(2026, 12, 5), None, None)]),
        ("mejor en las mañanas", "es", [(None, time(8), time(12))]),
        ("puede venir el fin de semana?", "es", [(date(2026, 11, 21), None, None)]),
        # The day that is refused is not the day that is wanted.
        ("mañana no puedo, pasado mañana sí", "es", [(date(2026, 11, 22), None, None)]),
        # A plain yes asks for nothing.
        ("yes see you at 10", "en", []),
    ],
)
def test_wanted_times(lexicon: Lexicon, text: str, language: str, wanted: list[tuple[date, time, time]]) -> None:
    reading = read(text, Asked.REMINDER, lexicon=lexicon, language=language, today=FRIDAY)
    assert [(t.on, t.earliest, t.latest) for t in reading.times] == wanted


def test_without_today_a_day_is_only_named(lexicon: Lexicon) -> None:
    reading = read("can you come thursday", Asked.REMINDER, lexicon=lexicon)
    assert [(t.on, t.words) for t in reading.times] == [(None, "thursday")]
