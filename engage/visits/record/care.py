"""Records payers, referral sources, episodes, payment periods, and who referred whom."""

from typing import Any

from engage.visits.record.progress import Recording
from engage.visits.rules.rows import EpisodeRow, Rejected
from engage.visits.rules.words import Change


def record_payers(recording: Recording) -> None:
    """Payers by key. Only the agency's own list renames a payer that is known."""
    rows, bulk = recording.batch.payers, recording.bulk
    stored = {row[1]: row for row in bulk.stored("payers", ("id", "emr_id", "name", "payer_class"), "emr_id", rows)}
    added = [(key, row.name or f"Payer {key}", row.payer_class) for key, row in rows.items() if key not in stored]
    changed = []
    for key, (row_id, _, name, payer_class) in stored.items():
        row = rows[key]
        after = (
            (row.name or name, row.payer_class or payer_class)
            if row.is_directory
            else (name, payer_class or row.payer_class)
        )
        if after != (name, payer_class):
            changed.append((row_id, *after))
    bulk.update("payers", ("name", "payer_class"), changed)
    ids = dict(bulk.insert("payers", ("emr_id", "name", "payer_class"), added, "emr_id"))
    recording.payers = {key: row[0] for key, row in stored.items()} | ids
    _count(recording, "payers", len(rows), len(added), len(changed))


def record_sources(recording: Recording) -> None:
    """Referral sources by key."""
    rows, bulk = recording.batch.referral_sources, recording.bulk
    stored = {row[1]: row for row in bulk.stored("referral_sources", ("id", "emr_id", "name"), "emr_id", rows)}
    added = [(key, row.name) for key, row in rows.items() if key not in stored]
    # A line that only repeats the key as the name knows less than we do.
    changed = [(row[0], rows[key].name) for key, row in stored.items() if rows[key].name not in {row[2], key}]
    bulk.update("referral_sources", ("name",), changed)
    ids = dict(bulk.insert("referral_sources", ("emr_id", "name"), added, "emr_id"))
    recording.sources = {key: row[0] for key, row in stored.items()} | ids
    _count(recording, "referral_sources", len(rows), len(added), len(changed))


_EPISODE = (
    *("patient_id", "payer_id", "referral_source_id", "emr_id", "line"),
    *("start_of_care_on", "starts_on", "ends_on", "discharged_on"),
)


def record_episodes(recording: Recording) -> None:
    """Episodes by key, of patients that are known; an episode stays with the patient it began with."""
    batch, bulk = recording.batch, recording.bulk
    keys = set(batch.episodes) | {row.episode for row in batch.visits.values() if row.episode}
    keys |= {row.episode for row in batch.periods.values()}
    stored = {row[4]: row for row in bulk.stored("episodes", ("id", *_EPISODE), "emr_id", keys)}
    added, changed = [], []
    unchanged = 0
    for key, row in batch.episodes.items():
        patient = recording.patients.get(row.patient)
        if patient is None:
            continue
        if key not in stored:
            if row.starts_on:
                added.append(_new_episode(row, patient[0], recording))
        elif stored[key][1] == patient[0]:
            after = _changed_episode(stored[key], row, recording)
            unchanged += after == stored[key]
            if after != stored[key]:
                changed.append(after)
    bulk.update("episodes", _EPISODE, changed)
    ids = dict(bulk.insert("episodes", _EPISODE, added, "emr_id"))
    recording.episodes = {key: (row[0], row[1]) for key, row in stored.items()}
    recording.episodes |= {row[3]: (ids[row[3]], row[0]) for row in added}
    recording.count("episodes", Change.ADDED, len(added))
    recording.count("episodes", Change.CHANGED, len(changed))
    recording.count("episodes", Change.UNCHANGED, unchanged)


def _new_episode(row: EpisodeRow, patient_id: int, recording: Recording) -> tuple[Any, ...]:
    ends_on = row.ends_on if row.ends_on and row.starts_on and row.ends_on >= row.starts_on else None
    return (
        *(patient_id, recording.payers.get(row.payer or ""), recording.sources.get(row.referral_source or "")),
        *(row.emr_id, recording.agency.line, row.start_of_care_on, row.starts_on, ends_on, row.discharged_on),
    )


def _changed_episode(stored: tuple[Any, ...], row: EpisodeRow, recording: Recording) -> tuple[Any, ...]:
    """id and the columns of `_EPISODE` as they shall be."""
    row_id, patient_id, payer, source, emr_id, line, start_of_care_on, starts_on, ends_on, discharged_on = stored
    starts_on, ends_on = row.starts_on or starts_on, row.ends_on or ends_on
    return (
        *(row_id, patient_id, recording.payers.get(row.payer or "", payer)),
        *(recording.sources.get(row.referral_source or "", source), emr_id, line),
        *(
            row.start_of_care_on or start_of_care_on,
            starts_on,
            ends_on if ends_on is None or ends_on >= starts_on else None,
        ),
        row.discharged_on or discharged_on,
    )


_PERIOD = ("episode_id", "starts_on", "ends_on", "lupa_threshold", "hipps", "completed_visits")


def record_periods(recording: Recording) -> None:
    """Payment periods by episode and first day."""
    batch, bulk = recording.batch, recording.bulk
    if not batch.periods:
        return
    episodes = {
        recording.episodes[row.episode][0] for row in batch.periods.values() if row.episode in recording.episodes
    }
    stored = {(row[1], row[2]): row for row in bulk.stored("payment_periods", ("id", *_PERIOD), "episode_id", episodes)}
    added, changed = [], []
    known = 0
    for row in batch.periods.values():
        if row.episode not in recording.episodes:
            reason = "this episode is not known yet; import the visits (with their episodes) first"
            recording.rejected.append(Rejected(row.at.file, row.at.line, row.column, reason))
            continue
        episode = recording.episodes[row.episode][0]
        before = stored.get((episode, row.starts_on))
        facts = (row.lupa_threshold, row.hipps, row.completed_visits)
        if before is None:
            added.append((episode, row.starts_on, row.ends_on, *facts))
            continue
        known += 1
        merged = [old if new is None else new for old, new in zip(before[4:], facts, strict=True)]
        after = (before[0], episode, row.starts_on, row.ends_on, *merged)
        if after != before:
            changed.append(after)
    bulk.update("payment_periods", _PERIOD, changed)
    bulk.insert("payment_periods", _PERIOD, added)
    _count(recording, "payment_periods", known + len(added), len(added), len(changed))


# Referrals name the patient, not her key: the name and birthday must be those of one patient only. The newest referral
# before the episode began is the one that led to it.
_REFERRED = """
WITH one_patient AS (
    SELECT r.source, r.referred_on, min(p.id) AS patient_id
    FROM (SELECT source, referred_on, lower(first_name) AS first_name, lower(last_name) AS last_name, born_on FROM {referrals}) r
    JOIN patients p ON p.agency_id = %(agency)s AND lower(p.first_name) = r.first_name
     AND lower(p.last_name) = r.last_name AND p.born_on = r.born_on
    GROUP BY r.source, r.referred_on, r.first_name, r.last_name, r.born_on HAVING count(DISTINCT p.id) = 1
), newest AS (
    SELECT DISTINCT ON (e.id) e.id, o.source
    FROM one_patient o
    JOIN episodes e ON e.agency_id = %(agency)s AND e.patient_id = o.patient_id AND e.starts_on >= o.referred_on
    WHERE e.referral_source_id IS NULL
    ORDER BY e.id, o.referred_on DESC, o.source
)
UPDATE episodes e SET referral_source_id = s.id
FROM newest n JOIN referral_sources s ON s.agency_id = %(agency)s AND s.emr_id = n.source
WHERE e.agency_id = %(agency)s AND e.id = n.id
"""


def record_referrals(recording: Recording) -> None:
    """Who referred whom: the referral source of episodes that have none."""
    bulk, rows = recording.bulk, recording.batch.referrals
    if not rows:
        return
    bulk.run(
        "CREATE TEMP TABLE staged_referrals (source text, first_name text, last_name text, born_on date, referred_on date)"
        " ON COMMIT DROP"
    )
    bulk.copy(
        "staged_referrals",
        ("source", "first_name", "last_name", "born_on", "referred_on"),
        ((row.source, row.first_name, row.last_name, row.born_on, row.referred_on) for row in rows),
    )
    linked = bulk.run(_REFERRED.format(referrals="staged_referrals"))
    recording.note(linked, "1 episode has its referral source now.", "{n} episodes have their referral source now.")


def _count(recording: Recording, table: str, total: int, added: int, changed: int) -> None:
    recording.count(table, Change.ADDED, added)
    recording.count(table, Change.CHANGED, changed)
    recording.count(table, Change.UNCHANGED, total - added - changed)
