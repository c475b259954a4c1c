"""The one clock: the machine's, or a file's that a simulation sets and any number of processes follow."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from freezegun import freeze_time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engage import clock

START = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _the_machine_again() -> Iterator[None]:
    yield
    clock.follow(None)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[clock.ClockFile]:
    file = clock.ClockFile(tmp_path / "clock", START)
    yield file
    file.close()


def test_the_machine_s_clock_is_aware_and_utc() -> None:
    with freeze_time("2026-11-23 13:00:00"):
        assert clock.now() == START
        assert clock.now().tzinfo is UTC


def test_a_followed_clock_stands_until_it_is_set(file: clock.ClockFile) -> None:
    clock.follow(file.path)
    assert clock.now() == clock.now() == START
    file.set(START + timedelta(days=1))
    assert clock.now() == START + timedelta(days=1)
    assert clock.now().tzinfo is UTC


def test_the_machine_s_clock_comes_back(file: clock.ClockFile) -> None:
    clock.follow(file.path)
    clock.follow(None)
    with freeze_time("2030-01-01"):
        assert clock.now() == datetime(2030, 1, 1, tzinfo=UTC)


def test_following_another_file(file: clock.ClockFile, tmp_path: Path) -> None:
    other = clock.ClockFile(tmp_path / "other", START + timedelta(hours=1))
    clock.follow(file.path)
    clock.follow(other.path)
    assert clock.now() == START + timedelta(hours=1)
    other.close()


def test_a_closed_file_keeps_its_last_instant(file: clock.ClockFile, tmp_path: Path) -> None:
    other = clock.ClockFile(tmp_path / "other", START)
    clock.follow(other.path)
    other.close()
    assert clock.now() == START


def test_any_zone_may_set_it(file: clock.ClockFile) -> None:
    clock.follow(file.path)
    file.set(datetime(2026, 11, 23, 8, 30, tzinfo=timezone(timedelta(hours=-5))))
    assert clock.now() == START + timedelta(minutes=30)


def test_a_naive_time_is_refused(file: clock.ClockFile) -> None:
    with pytest.raises(TypeError):
        file.set(datetime(2026, 11, 23))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_every_microsecond_is_kept(file: clock.ClockFile, instant: datetime) -> None:
    clock.follow(file.path)
    file.set(instant)
    assert clock.now() == instant
