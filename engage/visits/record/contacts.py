"""Records phones and the consents that a file carries; tells how many have none. No consent, no text."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from engage.db import encryption
from engage.patients.rules.words import ConsentKind, ConsentSource, Relationship
from engage.visits.record.progress import Recording
from engage.visits.rules.changes import ConsentVerdict, consent_verdict, relationship_after
from engage.visits.rules.rows import ConsentRow, ContactRow, Place
from engage.visits.rules.words import Change

_SHOWN_LINES = 10


@dataclass(frozen=True, slots=True)
class _Stored:
    """A contact as it stands."""

    id: int
    relationship: str
    name: str | None
    language: str | None
    has_ended: bool


_CONTACT = ("patient_id", "relationship", "name", "phone", "phone_hash", "language")
Known = dict[tuple[int, bytes], _Stored]


def record_contacts(recording: Recording) -> None:
    """Contacts by patient and phone. A phone that the EMR no longer gives is ended only when another takes its place."""
    rows = [row for row in recording.batch.contacts.values() if row.patient in recording.patients]
    if not rows:
        return
    known = _known(recording, {recording.patients[row.patient][0] for row in rows})
    hashes = {row.phone: encryption.phone_hash(row.phone) for row in rows}
    added, changed, demoted = [], [], []
    ended_before = 0
    for row in rows:
        patient_id = recording.patients[row.patient][0]
        before = known.get((patient_id, hashes[row.phone]))
        after = relationship_after(Relationship(before.relationship) if before else None, row)
        if before is None:
            sealed = encryption.ring().seal(row.phone, "contacts.phone")
            added.append((patient_id, after.value, row.name, sealed, hashes[row.phone], row.language))
            continue
        ended_before += before.has_ended
        facts = (after.value, row.name or before.name, row.language or before.language)
        if facts != (before.relationship, before.name, before.language):
            changed.append((before.id, *facts))
        if before.relationship == Relationship.PATIENT and after is Relationship.EMERGENCY:
            demoted.append(before.id)
    _end_replaced(recording, rows, hashes, known)
    recording.bulk.update("contacts", ("relationship", "name", "language"), changed)
    recording.bulk.insert("contacts", _CONTACT, added)
    _revoke_demoted(recording, demoted)
    recording.count("contacts", Change.ADDED, len(added))
    recording.count("contacts", Change.CHANGED, len(changed))
    recording.count("contacts", Change.UNCHANGED, len(rows) - len(added) - len(changed))
    recording.note(
        ended_before,
        "1 phone in the file was ended here; it stays ended.",
        "{n} phones in the file were ended here; they stay ended.",
    )
    _tell_of_shared(recording, rows, hashes)


def _known(recording: Recording, patients: Iterable[int]) -> Known:
    columns = ("patient_id", "phone_hash", "id", "relationship", "name", "language", "ended_at")
    found = recording.bulk.stored("contacts", columns, "patient_id", patients)
    return {
        (patient, bytes(hashed)): _Stored(row_id, relationship, name, language, ended_at is not None)
        for patient, hashed, row_id, relationship, name, language, ended_at in found
    }


def _end_replaced(recording: Recording, rows: list[ContactRow], hashes: dict[str, bytes], known: Known) -> None:
    """The patient's old phone ends when the file gives a new one: the carrier will give it to a stranger."""
    given: dict[int, set[bytes]] = {}
    replaced = set()
    for row in rows:
        patient_id = recording.patients[row.patient][0]
        given.setdefault(patient_id, set()).add(hashes[row.phone])
        if row.relationship is Relationship.PATIENT and (patient_id, hashes[row.phone]) not in known:
            replaced.add(patient_id)
    ended = [
        (contact.id, recording.now)
        for (patient_id, hashed), contact in known.items()
        if patient_id in replaced
        and contact.relationship == Relationship.PATIENT
        and not contact.has_ended
        and hashed not in given[patient_id]
    ]
    recording.bulk.update("contacts", ("ended_at",), ended)
    recording.note(
        len(ended),
        "1 patient has a new phone: the old one is no longer texted, the new one needs its own consent.",
        "{n} patients have a new phone: the old ones are no longer texted, the new ones need their own consent.",
    )


_CONSENT_EVENT = ("contact_id", "phone_hash", "category", "kind", "source", "proof", "said_at", "recorded_at")
_STANDING = """
SELECT DISTINCT ON (e.contact_id, e.category) e.contact_id, e.category, e.kind, e.said_at
FROM consent_events e JOIN {contacts} k ON k.id = e.contact_id
WHERE e.agency_id = %(agency)s ORDER BY e.contact_id, e.category, e.said_at DESC, e.id DESC
"""
_PHONE_WORDS = """
SELECT DISTINCT ON (e.phone_hash) e.phone_hash, e.kind
FROM consent_events e JOIN {phones} k ON k.phone_hash = e.phone_hash
WHERE e.agency_id = %(agency)s AND e.contact_id IS NULL ORDER BY e.phone_hash, e.said_at DESC, e.id DESC
"""


def _standing(recording: Recording, contacts: Iterable[int]) -> dict[tuple[int, str], tuple[ConsentKind, datetime]]:
    """The last word of each contact on each category."""
    staged = recording.bulk.stage("contacts", ("id",), ((contact,) for contact in set(contacts)))
    found = recording.bulk.ask(_STANDING.format(contacts=staged))
    return {(contact, category): (ConsentKind(kind), said_at) for contact, category, kind, said_at in found}


def _revoke_demoted(recording: Recording, contacts: list[int]) -> None:
    """A consent that a patient gave for his own phone is none of the person who answers it now."""
    if not contacts:
        return
    hashes = dict(recording.bulk.stored("contacts", ("id", "phone_hash"), "id", contacts))
    events = [
        (
            contact,
            hashes[contact],
            category,
            ConsentKind.REVOKED.value,
            ConsentSource.EMR.value,
            None,
            *[recording.now] * 2,
        )
        for (contact, category), (kind, _) in _standing(recording, contacts).items()
        if kind is ConsentKind.GRANTED
    ]
    recording.bulk.insert("consent_events", _CONSENT_EVENT, events)
    recording.note(
        len({event[0] for event in events}),
        "1 phone that was the patient's is an emergency contact's now: its consent was taken back.",
        "{n} phones that were the patients' are emergency contacts' now: their consents were taken back.",
    )


def record_consents(recording: Recording) -> None:
    """Appends what differs from the last word of a contact; an opt-out of the phone is never undone by a file."""
    rows = [row for row in recording.batch.consents.values() if row.patient in recording.patients]
    if not rows:
        return
    hashes = {row.phone: encryption.phone_hash(row.phone) for row in rows}
    known = _known(recording, {recording.patients[row.patient][0] for row in rows})
    standing = _standing(recording, (contact.id for contact in known.values()))
    phones = recording.bulk.stage("contacts", ("phone_hash",), ((hashed,) for hashed in set(hashes.values())))
    words = {bytes(row[0]): ConsentKind(row[1]) for row in recording.bulk.ask(_PHONE_WORDS.format(phones=phones))}
    events: list[tuple[Any, ...]] = []
    kept: Counter[ConsentVerdict] = Counter()
    for row in rows:
        patient_id, zone = recording.patients[row.patient]
        hashed = hashes[row.phone]
        contact = known[patient_id, hashed].id
        said_at = _said_at(row, zone)
        verdict = consent_verdict(
            is_granted=row.is_granted,
            said_at=said_at,
            standing=standing.get((contact, row.category.value)),
            phone_word=words.get(hashed),
        )
        if verdict in {ConsentVerdict.GRANT, ConsentVerdict.REVOKE}:
            events.append(_event(row, verdict, contact, hashed, said_at, recording.now))
        kept[verdict] += 1
    recording.bulk.insert("consent_events", _CONSENT_EVENT, events)
    recording.consents_recorded = len(events)
    recording.count("consents", Change.ADDED, len(events))
    recording.count("consents", Change.UNCHANGED, len(rows) - len(events))
    recording.note(
        kept[ConsentVerdict.OPTED_OUT],
        "1 yes was not recorded: its phone has opted out, and only the phone can take that back.",
        "{n} times a yes was not recorded: the phone has opted out, and only the phone can take that back.",
    )
    recording.note(
        kept[ConsentVerdict.OLDER],
        "1 consent in the file is older than what was said since; it was not recorded.",
        "{n} consents in the file are older than what was said since; they were not recorded.",
    )


def _said_at(row: ConsentRow, zone: str) -> datetime | None:
    """The day of a consent begins at midnight where the patient lives: a STOP of the same day is later."""
    return datetime.combine(row.said_on, time(0), ZoneInfo(zone)).astimezone(UTC) if row.said_on else None


def _event(
    row: ConsentRow, verdict: ConsentVerdict, contact: int, hashed: bytes, said_at: datetime | None, now: datetime
) -> tuple[Any, ...]:
    kind = ConsentKind.GRANTED if verdict is ConsentVerdict.GRANT else ConsentKind.REVOKED
    proof = encryption.ring().seal(
        f"{row.at.file} line {row.at.line}: {row.said_on or 'no day'}", "consent_events.proof"
    )
    return (contact, hashed, row.category.value, kind.value, row.source.value, proof, said_at or now, now)


_SHARED = """
SELECT c.phone_hash FROM contacts c JOIN {phones} k ON k.phone_hash = c.phone_hash
WHERE c.agency_id = %(agency)s AND c.ended_at IS NULL
GROUP BY c.phone_hash HAVING count(DISTINCT c.patient_id) > 1
"""


def _tell_of_shared(recording: Recording, rows: list[ContactRow], hashes: dict[str, bytes]) -> None:
    staged = recording.bulk.stage("contacts", ("phone_hash",), ((hashed,) for hashed in set(hashes.values())))
    shared = {bytes(row[0]) for row in recording.bulk.ask(_SHARED.format(phones=staged))}
    ours = [row for row in rows if hashes[row.phone] in shared]
    emergency = [row.at for row in ours if row.relationship is Relationship.EMERGENCY]
    recording.note(
        len(emergency),
        f"1 emergency phone is also another patient's phone ({_lines(emergency)}): it stays somebody else's here, never "
        "texted without its own consent.",
        f"{{n}} emergency phones are also another patient's phone ({_lines(emergency)}): they stay somebody else's here, "
        "never texted without their own consent.",
    )
    others = [row.at for row in ours if row.relationship is not Relationship.EMERGENCY]
    recording.note(
        len(others),
        f"1 phone is also given for another patient ({_lines(others)}).",
        f"{{n}} phones are also given for other patients ({_lines(others)}).",
    )
    own = [row.at for row in rows if row.is_also_emergency]
    recording.note(
        len(own),
        f"1 phone is given as the patient's and as the emergency contact's ({_lines(own)}): until a person says whose it is, "
        "it counts as somebody else's.",
        f"{{n}} phones are given as the patient's and as the emergency contact's ({_lines(own)}): until a person says whose "
        "they are, they count as somebody else's.",
    )


def _lines(places: list[Place]) -> str:
    shown = ", ".join(str(place.line) for place in places[:_SHOWN_LINES])
    more = f" and {len(places) - _SHOWN_LINES} more" if len(places) > _SHOWN_LINES else ""
    return f"{places[0].file} {'line' if len(places) == 1 else 'lines'} {shown}{more}" if places else ""


_REACHABLE = """
SELECT p.id, p.status = 'active', c.id FROM {patients} k
JOIN patients p ON p.agency_id = %(agency)s AND p.id = k.id
LEFT JOIN contacts c ON c.agency_id = p.agency_id AND c.patient_id = p.id AND c.ended_at IS NULL
"""


def count_silent(recording: Recording) -> None:
    """How many contacts of the patients in the file have no consent at all, and how many active patients no phone."""
    staged = recording.bulk.stage("patients", ("id",), ((row[0],) for row in recording.patients.values()))
    found = recording.bulk.ask(_REACHABLE.format(patients=staged))
    contacts = {contact for _, _, contact in found if contact is not None}
    granted = {
        contact for (contact, _), (kind, _) in _standing(recording, contacts).items() if kind is ConsentKind.GRANTED
    }
    recording.without_consent = len(contacts - granted)
    recording.without_phone = len({patient for patient, is_active, contact in found if is_active and contact is None})
