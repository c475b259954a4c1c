"""Our own CSV: its layouts, its consents, and everything a file can have wrong with it."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from engage.db import encryption
from engage.errors import BadInput, ConfigurationError, NotFound
from engage.visits.importer import import_file
from tests.cast import NOON
from tests.flows.visits.conftest import Importing

PATIENTS = "patient_id,first_name,last_name,state,zip,language,phone,phone_owner,contact_name,emergency_phone,consent_visits,consent_checkins,consent_surveys,consent_source,consent_on"
LATER = NOON + timedelta(hours=1)


def patients(*lines: str) -> list[str]:
    return [PATIENTS, *lines]


def consents(importing: Importing, patient: str) -> list[tuple[object, ...]]:
    return importing.ask(
        "SELECT e.category, e.kind, e.source, e.said_at FROM consent_events e JOIN contacts c ON c.id = e.contact_id"
        " JOIN patients p ON p.id = c.patient_id WHERE p.emr_id = :patient ORDER BY e.id",
        patient=patient,
    )


def test_patients_with_consent_and_a_daughter(importing: Importing) -> None:
    report = importing(
        patients(
            'P1,Rose,"Miller, MD",NY,12207,Spanish,(202) 555-0131,patient,,202-555-0133,yes,no,,paper,11/01/2026',
            'P1,Rose,"Miller, MD",NY,12207,English,202-555-0132,family,Amy,,yes,yes,yes,staff,2026-11-02',
        ),
        "patients.csv",
        profile="csv",
    )
    found = importing.ask(
        "SELECT c.relationship, c.name, c.language, p.language, p.last_name FROM contacts c JOIN patients p ON p.id = c.patient_id"
        " WHERE p.emr_id = 'P1' ORDER BY c.relationship"
    )
    assert found == [
        ("emergency", None, None, "es", "Miller, MD"),
        ("family", "Amy", "en", "es", "Miller, MD"),
        ("patient", None, None, "es", "Miller, MD"),
    ]
    midnight = datetime(2026, 11, 2, 5, tzinfo=UTC)  # in New York, after the end of daylight saving time
    assert consents(importing, "P1") == [
        ("visits", "granted", "paper", datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ("visits", "granted", "staff", midnight),
        ("checkins", "granted", "staff", midnight),
        ("surveys", "granted", "staff", midnight),
    ]
    assert report.contacts_without_consent == 1  # the emergency contact's
    (proof,) = importing.ask(
        "SELECT proof FROM consent_events WHERE source = 'paper' AND proof IS NOT NULL ORDER BY id DESC LIMIT 1"
    )
    assert encryption.ring().open(bytes(proof[0]), "consent_events.proof") == "patients.csv line 2: 2026-11-01"


def rose(visits: str, on: str) -> list[str]:
    return patients(f"P1,Rose,Miller,NY,12207,en,202-555-0131,patient,,,{visits},,,paper,{on}")


def test_consent_is_recorded_once_and_never_rewritten(importing: Importing) -> None:
    def kinds() -> list[object]:
        return [kind for _, kind, *_ in consents(importing, "P1")]

    def send(lines: list[str]) -> str:
        return " ".join(importing(lines, "patients.csv", profile="csv").notes)

    send(rose("yes", "11/01/2026"))
    send(rose("yes", "11/01/2026"))
    send(rose("yes", "11/05/2026"))
    assert kinds() == ["granted"]
    send(rose("no", "11/06/2026"))
    assert kinds() == ["granted", "revoked"]
    assert "older" in send(rose("yes", "11/01/2026"))  # the old yes once more
    assert "older" in send(rose("yes", "11/06/2026"))
    assert kinds() == ["granted", "revoked"]
    send(rose("yes", "11/07/2026"))
    assert kinds() == ["granted", "revoked", "granted"]


def test_a_file_never_undoes_an_opt_out(importing: Importing) -> None:
    importing(rose("yes", "11/01/2026"), "patients.csv", profile="csv")
    importing.tell(
        "INSERT INTO consent_events (agency_id, phone_hash, kind, source, said_at, recorded_at)"
        " VALUES (:agency, :hashed, 'opted_out', 'text', :at, :at)",
        agency=importing.agency.id,
        hashed=encryption.phone_hash("+12025550131"),
        at=NOON - timedelta(days=3),
    )
    before = importing.ask("SELECT count(*) FROM consent_events")
    report = importing(rose("yes", "11/22/2026"), "patients.csv", profile="csv")
    assert importing.ask("SELECT count(*) FROM consent_events") == before
    assert any("opted out" in note for note in report.notes)


def test_a_phone_that_becomes_an_emergency_contacts_loses_its_consent(importing: Importing) -> None:
    importing(rose("yes", "11/01/2026"), "patients.csv", profile="csv")
    importing(
        ["patient_id,first_name,last_name,phone,emergency_phone", "P1,Rose,Miller,202-555-0139,202-555-0131"],
        "p.csv",
        profile="csv",
    )
    assert [kind for _, kind, *_ in consents(importing, "P1")] == ["granted", "revoked"]


def test_one_flat_file_is_enough(importing: Importing) -> None:
    lines = [
        "Visit ID,Patient ID,Date,Start,End,Task,Status,Clinician ID,Clinician Name,First Name,Last Name,Phone,Consent Visits,Consent On,Favourite colour",
        "V1,P1,11/24/2026,9:00 AM,10:00 AM,Nurse visit,,N1,Ana Lopez RN,ROSE,MILLER,202-555-0131,yes,11/01/2026,blue",
        "V2,P1,11/24/2026,1:00 PM,,PT visit,scheduled,T1,Cy Cole PT,ROSE,MILLER,202-555-0131,yes,11/01/2026,",
    ]
    report = importing(lines, "visits.csv", profile="csv")
    assert importing.ask("SELECT emr_id, discipline FROM visits ORDER BY 1") == [("V1", "SN"), ("V2", "PT")]
    assert report.contacts_without_consent == 0
    assert any("1 columns have names" in note for note in report.notes)


def test_clinicians_payers_referrals_and_periods(importing: Importing) -> None:
    how = {"profile": "csv"}
    importing(
        [
            "clinician_id,first_name,last_name,discipline,role,phone,left_on",
            "N1,Ana,Lopez,RN,supervisor,202-555-0141,",
            "A1,Bo,Roe,CNA,,12,",
        ],
        "c.csv",
        **how,
    )
    found = importing.ask(
        "SELECT emr_id, role, discipline, phone, phone_hash FROM clinicians WHERE emr_id IN ('N1', 'A1') ORDER BY 1"
    )
    assert [row[:3] for row in found] == [("A1", "aide", "HHA"), ("N1", "supervisor", "SN")]
    assert encryption.ring().open(bytes(found[1][3]), "clinicians.phone") == "+12025550141"
    importing(
        ["clinician_id,first_name,last_name,phone,left_on", "N1,Ana,Lopez,202-555-0142,11/20/2026"], "c.csv", **how
    )
    assert importing.ask("SELECT role, left_on, phone_hash FROM clinicians WHERE emr_id = 'N1'") == [
        ("supervisor", date(2026, 11, 20), encryption.phone_hash("+12025550142"))
    ]
    importing(["payer_id,payer_name", "Y1,Plan"], "y.csv", **how)
    importing(["referral_source_id,referral_source", "R1,Mercy"], "r.csv", **how)
    importing(["patient_id,first_name,last_name", "P1,Rose,Miller"], "p.csv", **how)
    importing(
        [
            "episode_id,starts_on,ends_on,lupa_threshold,patient_id,episode_starts_on,payer_id,referral_source_id",
            "E1,11/01/2026,11/30/2026,4,P1,11/01/2026,Y1,R1",
        ],
        "periods.csv",
        **how,
    )
    assert importing.ask(
        "SELECT y.name, r.name, t.lupa_threshold FROM episodes e JOIN payers y ON y.id = e.payer_id"
        " JOIN referral_sources r ON r.id = e.referral_source_id JOIN payment_periods t ON t.episode_id = e.id"
    ) == [("Plan", "Mercy", 4)]
    importing(  # without columns of keys, names are keys
        [
            "patient_id,first_name,last_name,episode_id,episode_starts_on,payer_name,referral_source",
            "P1,Rose,Miller,E2,11/02/2026,Plan B,Dr. Grey",
            "P2,Marta,Ruiz,E3,11/02/2026,PLAN B,dr grey",
        ],
        "p.csv",
        **how,
    )
    assert importing.ask(
        "SELECT y.name, r.name, count(*) FROM episodes e JOIN payers y ON y.id = e.payer_id"
        " JOIN referral_sources r ON r.id = e.referral_source_id WHERE e.emr_id IN ('E2', 'E3') GROUP BY 1, 2"
    ) == [("PLAN B", "dr grey", 2)]  # as the last line spells it


GOOD = b"visit_id,patient_id,date,first_name,last_name\nV1,P1,11/24/2026,Rose,Miller\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf" + GOOD,  # Excel's mark
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"\n", b"\r"),
        GOOD.replace(b",", b";"),
        GOOD.replace(b",", b"\t"),
        b"\n\n" + GOOD + b"\n,,,,\n",
        GOOD.replace(b"Rose", b'"Rose\nMarie"'),  # a line break inside quotation marks
        GOOD.replace(b"\nV1", b'\nV9,P9,"11/24/2026,R,M\nV1'),  # a mark that is never closed costs its own line
        GOOD.rstrip(b"\n"),
    ],
)
def test_files_as_programs_write_them(importing: Importing, raw: bytes) -> None:
    importing(raw, "visits.csv", profile="csv")
    assert importing.ask("SELECT emr_id, starts_on FROM visits") == [("V1", date(2026, 11, 24))]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n", "is empty"),
        (b"visit_id,patient_id,date\n", "no lines below"),
        (b"PK\x03\x04aaaa", "Excel"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        (random.Random(1).randbytes(4000).replace(b"\0", b"\1"), "binary"),
        ("visit_id,patient_id\n".encode("utf-16"), "UTF-16"),
        (b"visit_id,patient_id,date\nV1,P1,\x8111/24/2026\n", "line 2 is neither UTF-8 nor"),
        (b"V1,P1,11/24/2026\nV2,P1,11/24/2026\n", "header line"),
        (b"visit_id,patient_id\nV1,P1\n", "no column date"),
        (b"visit_id,patient_id,date,date\nV1,P1,1,1\n", "date twice"),
        (b"visit_id,patient_id,date\nV1,P1,never\nV2,P1,ever\n", "No line of"),
        (b"visit_id,patient_id,date\nV1,P404,11/24/2026\n", "No line of"),  # only the database can tell
        (b"first_name,last_name\nRose,Miller\n", "no kind of file"),
        (b"a|b|c\n", "--profile axxess"),
    ],
)
def test_a_useless_file_is_one_clear_sentence_and_writes_nothing(importing: Importing, raw: bytes, says: str) -> None:
    before = importing.snapshot()
    with pytest.raises(BadInput, match=says):
        importing(raw, "visits.csv", profile="csv")
    assert importing.snapshot() == before
    assert importing.ask("SELECT count(*) FROM import_runs") == [(0,)]


def test_what_is_not_there(importing: Importing, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        importing.path(tmp_path / "absent.csv", profile="csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="a folder without a file"):
        importing.path(tmp_path / "empty", profile="csv")
    with pytest.raises(BadInput, match="no profile 'hchb'"):
        importing(GOOD, "v.csv", profile="hchb")
    with pytest.raises(BadInput, match="no kind of file 'cats'"):
        importing(GOOD, "v.csv", profile="csv", kind="cats")
    with pytest.raises(NotFound, match="no agency 'nobody'"):
        import_file(importing.db, "nobody", tmp_path, "csv", now=NOON, config_dir=importing.agency.config)
    (tmp_path / "config" / "emr").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="csv.toml"):
        importing(GOOD, "v.csv", profile="csv", config_dir=tmp_path / "config")


def test_a_failure_in_the_middle_leaves_nothing(importing: Importing) -> None:
    """An answer that a constraint refuses stands for any crash: the database takes all of a file or none."""
    importing(GOOD, "v.csv", profile="csv")
    before = importing.snapshot()
    importing.db.engine.dispose()
    with importing.db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE visits ADD CONSTRAINT refuse CHECK (task <> 'Refused') NOT VALID")
    lines = [
        "visit_id,patient_id,date,task,first_name,last_name",
        "V2,P2,11/24/2026,Fine,Al,New",
        "V3,P3,11/24/2026,Refused,Jo,Old",
    ]
    with pytest.raises(Exception, match="refuse"):
        importing(lines, "v.csv", profile="csv")
    assert importing.snapshot() == before


def test_progress_only_goes_forward_and_ends_at_the_end(importing: Importing) -> None:
    said: list[tuple[int, int]] = []
    lines = ["visit_id,patient_id,date,first_name,last_name", *(f"V{n},P1,11/24/2026,Rose,Miller" for n in range(5000))]
    report = importing(lines, "v.csv", profile="csv", progress=lambda done, total: said.append((done, total)))
    assert report.number("visits", "added") == 5000
    assert said == sorted(said)
    assert len(said) > 5
    assert said[-1][0] == said[-1][1]


def test_the_run_is_on_record(importing: Importing) -> None:
    importing(GOOD, "v.csv", profile="csv", is_complete=True, now=LATER)
    ((profile, kind, checksum, is_complete, ran_at, counts),) = importing.ask(
        "SELECT profile, kind, file_sha256, is_complete, ran_at, counts FROM import_runs"
    )
    assert (profile, kind, len(checksum), is_complete, ran_at) == ("csv", "visits", 64, True, LATER)
    assert counts["visits"]["added"] == 1


@pytest.mark.parametrize(
    ("table", "lost", "stand"),
    [
        ("branches", "P1", [("P0", "Smith"), ("P2", "Ruiz")]),  # P0 was known before, in a zone that is known
        ("patients", "P0", [("P0", "Miller"), ("P1", "Miller"), ("P2", "Ruiz")]),
    ],
)
def test_a_time_zone_that_nobody_knows_costs_the_line_and_not_the_import(
    importing: Importing, table: str, lost: str, stand: list[tuple[str, str]]
) -> None:
    """PostgreSQL takes it for a rule of its own making; the hours for texts could not be told from it."""
    importing(patients("P0,Ann,Miller,,,en,202-555-0134,patient,,,,,,,"), "patients.csv", profile="csv")
    importing.tell(f"UPDATE {table} SET time_zone = 'Nowhere+5'")
    report = importing(
        patients(
            "P0,Ann,Smith,,,en,202-555-0134,patient,,,yes,,,paper,11/01/2026",
            "P1,Rose,Miller,,,en,202-555-0131,patient,,,yes,,,paper,11/01/2026",  # of no address: the branch's zone
            "P2,Marta,Ruiz,NY,12207,en,202-555-0132,patient,,,yes,,,paper,11/01/2026",
        ),
        "patients.csv",
        profile="csv",
        now=LATER,
    )
    (refused,) = report.rejected
    assert (refused.file, refused.line, refused.column) == ("patients.csv", 2 + int(lost[1]), "the patient's time zone")
    assert "Nowhere+5" in refused.reason
    assert "correct it" in refused.reason
    assert importing.ask("SELECT emr_id, last_name FROM patients WHERE emr_id LIKE 'P%' ORDER BY 1") == stand
    assert consents(importing, lost) == []
