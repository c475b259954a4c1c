"""How much may be on its way: grows slowly, is halved by 429, breaks when answers stop coming."""

from datetime import UTC, datetime, timedelta

from engage.outreach.rules.pressure import BREAK_AFTER, Heard, Pressure, Sign

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
FINE = Heard(Sign.ANSWERED)
BUSY = Heard(Sign.BUSY)
SILENT = Heard(Sign.SILENT)
LATER = NOW + timedelta(seconds=5)


def test_a_flood_of_429s_is_one_sign() -> None:
    cut = Pressure.full(128).after([BUSY] * 40, NOW)
    assert cut.room(NOW) == 64
    assert cut.after([BUSY], LATER).room(LATER) == 32


def test_it_never_falls_below_one_and_comes_back() -> None:
    pressure = Pressure.full(4)
    for second in range(10):
        pressure = pressure.after([BUSY], NOW + timedelta(seconds=2 * second))
    assert pressure.limit == 1
    assert pressure.after([FINE], NOW).limit == 2
    assert pressure.after([FINE] * 100, NOW).limit == 4


def test_retry_after_is_honoured() -> None:
    waiting = Pressure.full(8).after([Heard(Sign.BUSY, 7), Heard(Sign.BUSY, 3)], NOW)
    assert waiting.room(NOW + timedelta(seconds=6.9)) == 0
    assert waiting.room(NOW + timedelta(seconds=7)) == 4


def test_silence_breaks_and_any_answer_mends() -> None:
    pressure = Pressure.full(8).after([SILENT] * (BREAK_AFTER - 1), NOW)
    assert not pressure.is_broken
    assert pressure.after([SILENT], NOW).is_broken
    for answer in (FINE, BUSY):
        assert not pressure.after([answer, SILENT], NOW).is_broken
