"""The pages know the program: every setting, command, reason, table, metric and placeholder has its place, every link leads somewhere."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import pytest
from jinja2 import Environment, meta

import engage.alerts.model
import engage.console.model
import engage.db.model
import engage.replies.model  # noqa: F401 - every table must be known
from engage.agencies.rules.people import Role
from engage.alerts.rules.audit import Finding
from engage.alerts.rules.words import AlertKind, Outcome
from engage.cli.main import program
from engage.db import Base
from engage.outreach.rules.draft import Drop
from engage.patients.rules.permission import Hold, Refusal
from engage.reports.health import VERBS
from engage.settings import SECRETS, Settings, read_toml
from engage.sms.rules.codes import CodeClass
from engage.sms.rules.statuses import MessageState
from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = sorted({*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "tests").rglob("*.md")})
TEXTS = {path.stem: read_toml(path)["wording"] for path in sorted((ROOT / "config/messages").glob("*.toml"))}


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def missing(words: Iterable[str], name: str) -> list[str]:
    """Words that stand nowhere in the page between backquotes, braces or at the edge of a word."""
    text = page(name)
    return sorted(word for word in set(words) if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text))


# --- settings, commands -----------------------------------------------------------------------------------------------


def settings_rows() -> dict[str, str]:
    """The line of each setting in the page's tables."""
    rows = re.findall(r"^\| `ENGAGE_(\w+)`(.*)$", page("reference/settings.md"), re.MULTILINE)
    return {name.lower(): line for name, line in rows}


def test_every_setting_has_one_row_and_no_row_is_about_nothing() -> None:
    assert set(settings_rows()) == set(Settings.model_fields)


def test_secrets_are_named_as_such() -> None:
    assert {name for name, line in settings_rows().items() if line.startswith(" secret")} == set(SECRETS)


def test_defaults_are_those_of_the_program() -> None:
    for name, field in Settings.model_fields.items():
        default = field.default if isinstance(field.default, int | float | str) else None
        if default is not None:
            assert f"| {default:g} |" if isinstance(default, float) else f"| {default} |" in settings_rows()[name]


def commands(group: click.Command = program, path: str = "engage") -> Iterator[str]:
    """Every command that does something, by its whole name."""
    if not isinstance(group, click.Group):
        yield path
        return
    if group.invoke_without_command:  # a command that has others below it
        yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from commands(command, f"{path} {name}")


def test_every_command_has_its_line_and_no_line_is_about_nothing() -> None:
    told = re.findall(r"^\| `(engage [a-z -]+)`", page("reference/cli.md"), re.MULTILINE)
    assert sorted(told) == sorted(commands())


def test_the_outcomes_are_told() -> None:
    assert missing(Outcome, "reference/cli.md") == []


# --- why a text did not go --------------------------------------------------------------------------------------------

SENDING = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "engage/outreach").rglob("*.py")))
WRITTEN = (
    r"reason = '(\w+)'",  # SQL that sets one
    r"reason = CASE WHEN .*? THEN '(\w+)'",
    r"reason = CASE WHEN .*? ELSE '(\w+)' END",
    r"\n +WHEN [^\n]* THEN '(\w+)'",  # a line of the planner's list
    r'Hold\([^\n]*, "(\w+)"\)',
    r'Uncertain\("([^"]+)"\)',
    r'timedelta\([^\n]*\), "(\w+)"|pause, "(\w+)"|_PAUSE_AFTER_STOP, "(\w+)"',
)


def reasons_in_the_code() -> set[str]:
    found: set[str] = set()
    for pattern in WRITTEN:
        for hit in re.finditer(pattern, SENDING):
            found |= {word for word in hit.groups() if word}
    return found


def test_the_reasons_are_found_in_the_code() -> None:
    known = {"too_late", "visit_changed", "touchpoint_off", "lease_lapsed", "never_sent", "never_reached_twilio"}
    assert (
        known | {"facts_unreadable", "provider_busy", "sending_stopped", "stopped while sending"}
        <= reasons_in_the_code()
    )


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(list(Refusal), id="refusals"),
        pytest.param(list(Drop), id="drops"),
        pytest.param([Hold.__dataclass_fields__["reason"].default], id="the usual hold"),
        pytest.param(list(CodeClass), id="classes of Twilio's codes"),
        pytest.param(list(MessageState), id="states"),
        pytest.param(sorted(reasons_in_the_code()), id="written by the verbs"),
    ],
)
def test_every_reason_is_explained(words: list[str]) -> None:
    assert missing(words, "reference/reasons.md") == []


# --- wording ----------------------------------------------------------------------------------------------------------


def placeholders() -> dict[str, set[str]]:
    """Each template's placeholders, in all languages together."""
    found: dict[str, set[str]] = {}
    for texts in TEXTS.values():
        for key, wording in texts.items():
            names = meta.find_undeclared_variables(Environment().parse(wording))
            found.setdefault(key, set()).update(names)
    return found


def test_every_template_and_placeholder_is_listed() -> None:
    text = page("reference/wording.md")
    assert [key for key in placeholders() if f"`{key}`" not in text] == []
    assert {name for names in placeholders().values() for name in names if f"`{{{{ {name} }}}}`" not in text} == set()


def test_a_placeholder_is_listed_where_it_is_used() -> None:
    rows = re.findall(r"^\| (`\{\{.*?) \| (.*?) \|", page("reference/wording.md"), re.MULTILINE)
    where = {name: told for names, told in rows for name in re.findall(r"\{\{ (\w+) \}\}", names)}
    for key, names in placeholders().items():
        assert [name for name in names if where[name] != "everywhere" and f"`{key}`" not in where[name]] == [], key


# --- the rest -----------------------------------------------------------------------------------------------------------


def test_every_table_is_described() -> None:
    assert missing(Base.metadata.tables, "reference/tables.md") == []


def test_every_kind_of_alert_is_in_the_agency_s_guide() -> None:
    assert missing(AlertKind, "guides/agency.md") == []


def test_the_operator_knows_every_metric() -> None:
    source = (ROOT / "engage/reports/health.py").read_text(encoding="utf-8")
    gauges = {f"engage_{name}" for name in re.findall(r"\) AS (\w+_\w+)\b", source)}
    assert len(gauges) > 5
    door = (ROOT / "webhooks/health.py").read_text(encoding="utf-8")
    named = set(re.findall(r'"(engage_\w+)"', door)) | {
        f"engage_alert_time_to_{step}_seconds" for step in ("page", "acknowledge", "resolve")
    }
    assert len(named) > 6
    assert missing(gauges | named, "guides/operator.md") == []


def test_the_operator_knows_every_finding_of_the_auditor() -> None:
    assert missing(Finding, "guides/operator.md") == []


def test_every_verb_is_a_command() -> None:
    assert {f"engage {verb}" for verb in VERBS} <= set(commands())


def test_roles_are_those_of_the_importer_s_page() -> None:
    assert missing(Role, "guides/emr.md") == []


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as the usual viewers make them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("source", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(source: Path) -> None:
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", source.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (source.parent / file).resolve() if file else source
        if not path.exists() or (anchor and anchor not in anchors(path)):
            dead.append(target)
    assert dead == []


def test_every_decision_is_listed_once() -> None:
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", page("decisions/README.md"))
    assert listed == sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))
