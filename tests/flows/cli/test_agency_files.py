"""engage agency export, import, check: an agency goes out as a file and comes back the same, and no harm comes in with one."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import text

from engage.db import Database
from engage.errors import BadInput
from engage.onboarding.export import export_agency
from engage.onboarding.importing import import_agency, planned_changes
from engage.onboarding.rules.document import AgencyDocument, read_document
from engage.onboarding.rules.writing import as_toml
from engage.settings import read_toml
from tests.cast import ANA_PHONE, NOON, ROSE_PHONE, Cast
from tests.conftest import ROOT
from tests.flows.cli.conftest import Program

EXAMPLES = sorted((ROOT / "config" / "agencies").glob("*.toml"))


def document(path: Path) -> AgencyDocument:
    found = read_document(read_toml(path))
    assert isinstance(found, AgencyDocument), found
    return found


def exported(cast: Cast, agency_id: int | None = None) -> str:
    with cast.db.agency_session(agency_id or cast.id) as session:
        return as_toml(export_agency(session, agency_id or cast.id))


def without_remarks(path: Path) -> str:
    """The file from where the program's own heading begins."""
    told = path.read_text(encoding="utf-8")
    return told[told.index("# An agency of Engage") :]


def test_the_examples_are_four() -> None:
    assert [path.stem for path in EXAMPLES] == ["home-health", "hospice", "spanish-first", "therapy"]


def test_every_example_is_imported_into_an_empty_database_and_comes_back_as_it_is(
    engage: Program, db: Database
) -> None:
    for path in EXAMPLES:
        assert engage("agency", "check", str(path)).code == 0
        said = engage("agency", "import", str(path), "--yes")
        assert (said.code, said.err) == (0, "")
        assert said.out.endswith("Done.\n")
        slug = read_toml(path)["agency"]["id"]
        assert engage("agency", "export", slug).out == without_remarks(path)
        again = engage("agency", "import", str(path), "--yes", "--json")
        assert json.loads(again.out) == {"agency": slug, "new": False, "applied": False, "changes": []}
    with db.system_session("test") as session:
        assert session.scalar(text("SELECT count(*) FROM agencies")) == 4
        assert session.scalar(text("SELECT count(*) FROM audit_events WHERE action = 'agency.import'")) == 4
        assert session.scalar(text("SELECT count(*) FROM templates WHERE reviewed_at IS NULL OR version > 1")) == 0


def test_an_agency_goes_out_and_comes_back_the_same(cast: Cast, tmp_path: Path) -> None:
    before = exported(cast)
    assert 'clinician = "ben"' in before
    for private in (ANA_PHONE, ROSE_PHONE, "Tester", "Rose", "Miller", "patient_id"):
        assert private not in before
    file = tmp_path / "sunrise.toml"
    file.write_text(before, encoding="utf-8")
    made = import_agency(cast.db, document(file), "test", None, NOON)
    assert made.changes == ()
    assert exported(cast) == before


CONFIRMED = 'answer-confirmed = "{{ agency }}: Thank you. See you then. Questions? Call {{ phone }}."\n'
THANKS = """
[[wording]]
language = "en"
written_by = "Dana"
reviewed_by = "Sue Park"
reviewed_at = 2026-11-22
[wording.texts]
answer-confirmed = "{{ agency }}: Thanks! See you then. Questions? Call {{ phone }}."
"""

CHANGES = [
    ("daily_cap = 5", "daily_cap = 4", "~ agency, daily_cap: 5 -> 4"),
    ("local_time = 15:00:00", "local_time = 16:30:00", "~ touchpoint day-before, local_time: 15:00:00 -> 16:30:00"),
    ("rounds = 3", "rounds = 2", None),  # is what is meant anyway, so it stands nowhere
    ('who = "on_call", wait_minutes = 10', 'who = "on_call", wait_minutes = 5', "ladder nurse, steps"),
    ("[alert.urgent]\nseverity = 3", "[alert.urgent]\nseverity = 2", "~ alert urgent, severity: 3 -> 2"),
    ('days = ["mon", ', "days = [", "+ shift: clinician ben"),
    (CONFIRMED, "", "~ wording en answer-confirmed"),
    ('key = "survey"', 'key = "survey"\nis_active = false', "+ touchpoint survey, is_active: False"),
    ('phone = "+12025550100"', 'phone = "+12025550100"\nsegments_per_second = 1.25', "+ sender +12025550100, segments_per_second"),
]  # fmt: skip


def test_what_a_file_changes_is_shown_made_and_put_on_record(cast: Cast, tmp_path: Path) -> None:
    """All at once: every kind of entry, then back to the first file, which retires nothing that is needed."""
    first = exported(cast)
    changed, told = first, []
    for was, becomes, says in CHANGES:
        if says is not None:
            assert changed.count(was) >= 1, was
            changed = changed.replace(was, becomes, 1)
            told.append(says)
    file = tmp_path / "sunrise.toml"
    file.write_text(changed + THANKS, encoding="utf-8")
    planned = planned_changes(cast.db, document(file))
    says = "\n".join(change.says for change in planned.changes)
    assert [wanted for wanted in told if wanted not in says] == [], says
    assert exported(cast) == first  # nothing is done by looking

    import_agency(cast.db, document(file), "cli:dana", planned, NOON)
    after = exported(cast)
    assert read_document(tomllib.loads(after)) == document(file)
    with cast.db.agency_session(cast.id) as session:
        row = session.execute(text("SELECT actor, detail FROM audit_events WHERE action = 'agency.import'")).one()
        assert row.actor == "cli:dana"
        assert len(row.detail["changes"]) == len(planned.changes)
        versions = text(
            "SELECT version, wording FROM templates WHERE key = 'answer-confirmed' AND language = 'en' ORDER BY version"
        )
        assert [row.version for row in session.execute(versions)] == [1, 2]  # nothing is rewritten
    with pytest.raises(BadInput, match="has changed meanwhile"):
        import_agency(cast.db, document(file), "cli:dana", planned, NOON)

    file.write_text(first, encoding="utf-8")
    import_agency(cast.db, document(file), "cli:dana", None, NOON)
    assert exported(cast) == first


def test_wording_that_waits_is_in_the_file_and_wording_that_is_left_out_is_retired(cast: Cast, tmp_path: Path) -> None:
    first = exported(cast)
    waits = (
        '\n[[wording]]\nlanguage = "es"\nwritten_by = "Dana"\n[wording.texts]\nsurvey = "{{ agency }}: 1 a 10. STOP."\n'
    )
    file = tmp_path / "sunrise.toml"
    file.write_text(first + waits, encoding="utf-8")
    import_agency(cast.db, document(file), "test", None, NOON)
    assert exported(cast) == first + waits
    # a new reviewed text below the one that waits: it still waits, above it
    (survey,) = re.findall(r"^survey = .*¿Qué.*\n", first, re.MULTILINE)
    reviewed = waits.replace(
        "[wording.texts]", 'reviewed_by = "Sue Park"\nreviewed_at = 2026-11-22T09:30:00.123456Z\n[wording.texts]'
    )
    second = first.replace(survey, "") + reviewed.replace("1 a 10", "De 1 a 10") + waits
    file.write_text(second, encoding="utf-8")
    import_agency(cast.db, document(file), "test", None, NOON)
    assert exported(cast) == second
    # Spanish goes: its readers get English, and the history stays
    english = re.sub(r'\n\[\[wording\]\]\nlanguage = "es"\n(?s:.*)', "", second)
    file.write_text(english, encoding="utf-8")
    import_agency(cast.db, document(file), "test", None, NOON)
    assert exported(cast) == english
    with cast.db.agency_session(cast.id) as session:
        rows = session.execute(text("SELECT count(*), count(retired_at) FROM templates WHERE language = 'es'")).one()
        assert rows[0] == rows[1] > 20
    file.write_text(first, encoding="utf-8")
    import_agency(cast.db, document(file), "test", None, NOON)
    assert exported(cast) == first


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('[[touchpoint]]\nkey = "survey"', '[[touchpoint]]\nkey = "survey-2"', "leaves out the touchpoint survey"),
        ('clinician = "ben"', 'clinician = "nobody"', "'nobody', whom Engage does not know"),
        ('phone = "+12025550101"', 'phone = "+12025550102"', "belongs to another agency"),  # the stranger's
        ('id = "main"', 'id = "second"', "leaves out the branch main"),
        # somebody edits words and leaves the signature of whoever reviewed the old ones
        (
            "Thank you. See you then.",
            "Thanks. See you then.",
            "answer-confirmed (en): the words are new, but the review",
        ),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_done(
    cast: Cast, tmp_path: Path, was: str, becomes: str, says: str
) -> None:
    first = exported(cast)
    file = tmp_path / "sunrise.toml"
    file.write_text(first.replace(was, becomes), encoding="utf-8")
    with pytest.raises(BadInput, match=re.escape(says)):
        import_agency(cast.db, document(file), "test", None, NOON)
    assert exported(cast) == first


def test_the_command_asks_before_it_changes_anything(engage: Program, tmp_path: Path) -> None:
    engage("agency", "import", str(EXAMPLES[0]), "--yes")
    file = tmp_path / "cedar.toml"
    assert engage("agency", "export", "cedar-valley", "--to", str(file)).code == 0
    file.write_text(file.read_text(encoding="utf-8").replace("daily_cap = 5", "daily_cap = 3"), encoding="utf-8")
    dry = engage("agency", "import", str(file), "--dry-run")
    assert "~ agency, daily_cap: 5 -> 3" in dry.out
    assert dry.out.endswith("Nothing was changed.\n")
    assert "daily_cap = 5" in engage("agency", "export", "cedar-valley").out
    assert engage("agency", "import", str(file), "--yes").code == 0
    assert engage("agency", "export", "cedar-valley").out == file.read_text(encoding="utf-8")
    second, first = engage("agency", "history", "cedar-valley").out.split("\n2", 1)
    assert "agency.import\n  ~ agency, daily_cap: 5 -> 3" in second
    assert "+ touchpoint day-before: " in first
    newest = json.loads(engage("agency", "history", "cedar-valley", "--last", "1", "--json").out)
    assert newest["actor"].startswith("cli:")


def test_a_file_that_harms_is_refused_before_the_database_is_asked(engage: Program, tmp_path: Path) -> None:
    file = tmp_path / "evil.toml"
    told = (
        EXAMPLES[0]
        .read_text(encoding="utf-8")
        .replace("{{ agency }}: Thank you. See you then.", "{{ ''.__class__ }}: Thank you.")
    )
    file.write_text(told, encoding="utf-8")
    said = engage("agency", "import", str(file), "--yes")
    assert (said.code, "not_allowed" in said.err, "answer-confirmed" in said.err) == (2, True, True)
    assert "no agency" in engage("agency", "export", "cedar-valley").err
    checked = engage("agency", "check", str(file), str(EXAMPLES[1]), "--json")
    assert checked.code == 1
    bad, good = (json.loads(line) for line in checked.out.splitlines())
    assert {note["severity"] for note in bad["notes"]} == {"refuse"}
    assert good["notes"] == []


def test_a_branch_s_own_ladder_is_not_in_the_file_and_not_changed_by_it(cast: Cast, tmp_path: Path) -> None:
    first = exported(cast)
    with cast.db.system_session("test") as session:
        values = {"a": cast.id, "b": cast.branch}
        session.execute(text("INSERT INTO ladders (agency_id, key, branch_id) VALUES (:a, 'nurse', :b)"), values)
        own = "SELECT :a, id, 1, 'supervisor', 7, 'voice' FROM ladders WHERE agency_id = :a AND branch_id = :b"
        columns = "agency_id, ladder_id, position, who, wait_minutes, channel"
        session.execute(text(f"INSERT INTO ladder_steps ({columns}) {own}"), values)  # noqa: S608 - our own words
    assert exported(cast) == first  # or the file would have two ladders of one name
    file = tmp_path / "sunrise.toml"
    file.write_text(
        first.replace('who = "nurse", wait_minutes = 10', 'who = "nurse", wait_minutes = 12'), encoding="utf-8"
    )
    import_agency(cast.db, document(file), "test", None, NOON)
    steps = "SELECT s.who, s.wait_minutes, s.channel FROM ladder_steps s JOIN ladders l ON l.id = s.ladder_id AND l.agency_id = s.agency_id WHERE l.agency_id = :a AND l.key = 'nurse' ORDER BY l.branch_id NULLS FIRST, s.position"
    with cast.db.system_session("test") as session:
        found = [tuple(row) for row in session.execute(text(steps), {"a": cast.id})]
    assert found[0] == ("nurse", 12, "any")
    assert found[-1] == ("supervisor", 7, "voice")
    assert len(found) == 4
