"""What a line says of an episode, its payer, its referral source and its payment periods. Pure."""

from collections.abc import Iterator
from datetime import date

from engage.visits.rules import cells
from engage.visits.rules.cells import Unreadable
from engage.visits.rules.layouts import COMPLETED_BY_DISCIPLINE
from engage.visits.rules.line import Line
from engage.visits.rules.rows import (
    EpisodeRow,
    LineRead,
    PayerRow,
    PeriodRow,
    ReferralRow,
    ReferralSourceRow,
    Rejected,
    Row,
)


def episode_rows(line: Line, patient: str) -> Iterator[Row]:
    """The episode of a line, with the payer and referral source it names."""
    payer, source = _named(line, "payer_id", "payer_name"), _named(line, "referral_source_id", "referral_source")
    if payer:
        yield PayerRow(payer, line.text("payer_name"), line.text("payer_class"))
    if source:
        yield ReferralSourceRow(source, line.text("referral_source") or source)
    episode = line.key("episode_id")
    if episode is None:
        return
    starts_on, ends_on = line.day("episode_starts_on"), line.day("episode_ends_on")
    if starts_on and ends_on and ends_on < starts_on:
        line.ignore("episode_ends_on", "the episode would end before it begins")
        ends_on = None
    yield EpisodeRow(
        episode,
        patient,
        starts_on,
        ends_on,
        line.day("start_of_care_on"),
        line.day("discharged_on"),
        payer,
        source,
    )


def _named(line: Line, key: str, name: str) -> str | None:
    """The key; the name as a key where the file has no column of keys. An empty key of a file that has them stays empty."""
    return line.key(key) if line.has(key) else cells.key(line.text(name) or "") or None


def payer_line(line: Line) -> LineRead:
    """A line of the agency's list of payers."""
    payer = line.key("payer_id")
    if payer is None:
        return LineRead(rejected=line.reject("payer_id", "the payer's key is missing"))
    name = line.text("payer_name")
    if name is None:
        return LineRead(rejected=line.reject("payer_name", "the name is missing"))
    return LineRead((PayerRow(payer, name, line.text("payer_class"), is_directory=True),), ignored=tuple(line.ignored))


def referral_line(line: Line) -> LineRead:
    """A line of referrals: the source, and who was sent when if the line says so. Axxess' sources have a name and no key."""
    name = line.text("referral_source")
    if name is None:
        return LineRead(rejected=line.reject("referral_source", "the referral source is missing"))
    source = line.key("referral_source_id") or cells.key(name)
    rows: list[Row] = [ReferralSourceRow(source, name)]
    first, last = line.name("first_name"), line.name("last_name")
    born_on, referred_on = line.birthday("born_on"), line.day("referral_date")
    if first and last and born_on and referred_on:
        rows.append(ReferralRow(source, first, last, born_on, referred_on))
    return LineRead(tuple(rows), ignored=tuple(line.ignored))


def period_line(line: Line) -> LineRead:
    """A line of 30-day payment periods."""
    if line.flag("is_deleted"):
        return LineRead(is_left_out=True)
    episode, patient = line.key("episode_id"), line.key("patient_id")
    if episode is None:
        return LineRead(rejected=line.reject("episode_id", "the episode's key is missing"))
    starts_on, ends_on = _required_day(line, "starts_on"), _required_day(line, "ends_on")
    if isinstance(starts_on, Rejected):
        return LineRead(rejected=starts_on)
    if isinstance(ends_on, Rejected):
        return LineRead(rejected=ends_on)
    if ends_on < starts_on:
        return LineRead(rejected=line.reject("ends_on", "the period would end before it begins"))
    period = PeriodRow(
        episode,
        starts_on,
        ends_on,
        _threshold(line),
        line.text("hipps"),
        _completed(line),
        line.at,
        line.reading.columns.get("episode_id", "episode_id"),
    )
    rows = (*(episode_rows(line, patient) if patient else ()), period)
    return LineRead(rows, ignored=tuple(line.ignored))


def _required_day(line: Line, name: str) -> date | Rejected:
    found = cells.day(line.values.get(name, ""))
    if found is None:
        return line.reject(name, "the date is missing")
    return line.reject(name, found.reason) if isinstance(found, Unreadable) else found


def _threshold(line: Line) -> int | None:
    """Fewer visits than this lose the period's payment. 0 is what EMRs write before the coding is done: not known yet."""
    found = line.count("lupa_threshold")
    if found is None or 2 <= found <= 9:
        return found
    if found:
        line.ignore("lupa_threshold", "a threshold lies between 2 and 9")
    return None


def _completed(line: Line) -> int | None:
    """Completed visits: one column, or the sum over the disciplines that count toward the threshold."""
    counts = [
        line.count(name) for name in ("completed_visits", *(f"completed_{code}" for code in COMPLETED_BY_DISCIPLINE))
    ]
    known = [number for number in counts if number is not None]
    return min(sum(known), 999) if known else None
