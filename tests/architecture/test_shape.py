"""The shape of the code: what DESIGN promises of files, names, clocks and imports, read from the sources themselves."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import pytest
from importlinter.cli import lint_imports

from tests.conftest import ROOT

SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for package in ("engage", "webhooks")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "_shipped" not in path.parts
}
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}
RULES = {name: tree for name, tree in TREES.items() if "/rules/" in name}

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
# A file of an EMR and its lines are worked on while they are read: filled, not passed around as values.
WORKPIECES = {"Batch", "Line"}

Check = Callable[[ast.Module], Iterable[str]]


def offenders(check: Check, trees: Mapping[str, ast.Module] = TREES) -> dict[str, list[str]]:
    """What `check` finds, by file; files without a find are left out."""
    found = {name: sorted(check(tree)) for name, tree in trees.items()}
    return {name: finds for name, finds in found.items() if finds}


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_there_is_something_to_look_at() -> None:
    assert len(TREES) > 100
    assert len(RULES) > 30


# --- time ---------------------------------------------------------------------------------------------------------------

_ASKS = re.compile(
    r"(?:datetime\.)?(datetime\.(?:now|utcnow|today)|date\.today)|(time\.(?:time|time_ns|localtime|gmtime|ctime|asctime))"
)
_SQL_ASKS = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(|"
    r"\b(CURRENT_(TIMESTAMP|DATE|TIME)|LOCALTIME(STAMP)?)\b|'(now|today|yesterday|tomorrow)'::",
    re.IGNORECASE,
)
_SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|WHERE|SET)\b")


def clock_reads(tree: ast.AST) -> Iterator[str]:
    """Every way in which the machine's clock is read in `tree`: "datetime.now", "time.time"."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            head, _, rest = ast.unparse(node).partition(".")
            read = _ASKS.fullmatch(".".join(part for part in (names.get(head, head), rest) if part))
            if read:
                yield read.group(1) or read.group(2)


def sql_clock_reads(tree: ast.AST) -> Iterator[str]:
    """SQL that asks the database's clock, in strings and as SQLAlchemy's func.now()."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _SQL.search(node.value) and (read := _SQL_ASKS.search(node.value)):
                yield read.group()
        elif isinstance(node, ast.Attribute) and re.fullmatch(
            r"(sa\.|sqlalchemy\.)?func\.(now|current_\w+|clock_timestamp)", ast.unparse(node)
        ):
            yield ast.unparse(node)


@pytest.mark.parametrize(
    ("code", "reads"),
    [
        ("import datetime\ndatetime.datetime.now()", ["datetime.now"]),
        ("from datetime import datetime as d\nd.utcnow()", ["datetime.utcnow"]),
        ("from datetime import date\ndate.today()", ["date.today"]),
        ("from time import time\ntime()", ["time.time"]),
        ("import time as t\nf = t.time", ["time.time"]),  # handed on without being called
        ("import time\ntime.monotonic()", []),  # durations are no instants
        ("from engage import clock\nclock.now()", []),
        ("from datetime import time\ntime(8)", []),
    ],
)
def test_a_clock_read_is_recognised(code: str, reads: list[str]) -> None:
    assert list(clock_reads(ast.parse(code))) == reads


@pytest.mark.parametrize(
    ("code", "is_read"),
    [
        ("'SELECT now()'", True),
        ("'UPDATE x SET at = clock_timestamp()'", True),
        ("'SELECT * FROM x WHERE day = current_date'", True),
        ("f'DELETE FROM {table} WHERE at < CURRENT_TIMESTAMP'", True),
        ("func.now()", True),
        ("'SELECT :now'", False),
        ("'The nurse knows now (see above)'", False),  # no SQL
    ],
)
def test_a_clock_read_in_sql_is_recognised(code: str, is_read: bool) -> None:
    assert bool(list(sql_clock_reads(ast.parse(code)))) is is_read


def test_only_the_clock_reads_the_clock() -> None:
    assert offenders(clock_reads) == {"engage/clock.py": ["datetime.now"]}


def test_no_sql_reads_the_clock() -> None:
    assert offenders(sql_clock_reads) == {}


# --- size and names -----------------------------------------------------------------------------------------------------


def test_a_file_holds_one_idea() -> None:
    lengths = {name: len(source.splitlines()) for name, source in SOURCES.items()}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_a_function_fits_a_screen() -> None:
    def long(tree: ast.Module) -> Iterator[str]:
        for function in functions(tree):
            lines = (function.end_lineno or function.lineno) - function.lineno + 1
            if lines > MOST_LINES_OF_A_FUNCTION:
                yield f"{function.name}: {lines} lines"

    assert offenders(long) == {}


def test_no_module_is_a_drawer() -> None:
    drawers = {
        "util", "utils", "helper", "helpers", "constants", "types", "models", "schemas", "services", "common", "misc",
        "managers", "handlers", "dao", "repositories",
    }  # fmt: skip
    assert [name for name in TREES if drawers & set(name.removesuffix(".py").split("/"))] == []


def test_no_class_is_named_for_doing_everything() -> None:
    everything = re.compile(r"(Manager|Handler|Helper|Utils?|Service|Repository|DAO)$")
    assert offenders(lambda tree: (node.name for node in classes(tree) if everything.search(node.name))) == {}


# --- what is said -------------------------------------------------------------------------------------------------------


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Modules, and public functions, classes and methods, without a docstring. Methods of a Protocol need none."""
    if tree.body and not ast.get_docstring(tree):
        yield "the module"
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield node.name
        if isinstance(node, ast.ClassDef) and not any("Protocol" in ast.unparse(base) for base in node.bases):
            for method in node.body:
                is_public = isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and method.name[0] != "_"
                if is_public and not ast.get_docstring(method):
                    yield f"{node.name}.{method.name}"


def test_everything_public_says_what_it_is() -> None:
    assert offenders(undocumented) == {}


_LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def composed_events(tree: ast.Module) -> Iterator[str]:
    """Log calls whose event is put together: a person's words would get into it past every guard."""
    for call in calls(tree):
        is_log = isinstance(call.func, ast.Attribute) and call.func.attr in _LEVELS and "log" in ast.unparse(call.func)
        values = [*call.args, *(keyword.value for keyword in call.keywords)]
        if is_log and (not isinstance(call.args[0], ast.Constant) or any(isinstance(v, ast.JoinedStr) for v in values)):
            yield ast.unparse(call)


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ("log.get().info(f'sent to {phone}')", True),
        ("log.get().info('sent to %s' % phone)", True),
        ("log.get(agency=1).error('sent', what=f'{body}')", True),
        ("log.get().info('sent', message=5)", False),
        ("click.info(f'{x}')", False),
    ],
)
def test_a_composed_event_is_recognised(code: str, is_found: bool) -> None:
    assert bool(list(composed_events(ast.parse(code)))) is is_found


def test_a_log_call_is_a_fixed_event_with_ids() -> None:
    assert offenders(composed_events) == {}


def test_nothing_is_printed() -> None:
    """The command line writes with click, everybody else with the log."""
    names = {"print", "pprint", "breakpoint"}
    assert offenders(lambda tree: (ast.unparse(call) for call in calls(tree) if ast.unparse(call.func) in names)) == {}


# --- imports ------------------------------------------------------------------------------------------------------------

IMPURE = {
    "sqlalchemy", "flask", "twilio", "psycopg", "alembic", "apscheduler", "urllib3", "requests", "aiohttp", "http", "socket",
    "os", "pathlib", "io", "subprocess", "tempfile", "threading", "logging", "structlog", "random", "secrets",
    "engage.clock", "engage.settings", "engage.db", "engage.log", "engage.resources",
}  # fmt: skip


def imported(tree: ast.AST) -> set[str]:
    """Modules imported anywhere in `tree`, with those above them: {"engage", "engage.db", "engage.db.session"}."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    every = (name.split(".") for name in found)
    return {".".join(parts[:depth]) for parts in every for depth in range(1, len(parts) + 1)}


def impure(tree: ast.Module) -> Iterator[str]:
    """Imports of the world outside, or of a station's model and verbs; and what reads or writes without an import."""
    modules = imported(tree)
    yield from modules & IMPURE
    stations = {module for module in modules if re.fullmatch(r"engage\.(?!errors)\w+\.\w+", module)}
    yield from (module for module in stations if not module.endswith(".rules"))
    yield from (
        ast.unparse(call) for call in calls(tree) if ast.unparse(call.func) in {"open", "input", "eval", "exec"}
    )


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ("from sqlalchemy.orm import Session", True),
        ("from engage import clock", True),
        ("def f():\n    from engage.settings import load", True),
        ("from engage.patients.model import Patient", True),
        ("from engage.patients.rules.words import Category", False),
        ("from engage.patients.rules import window", False),
        ("from engage.errors import BadInput", False),
    ],
)
def test_an_impure_import_is_recognised(code: str, is_found: bool) -> None:
    assert bool(list(impure(ast.parse(code)))) is is_found


def test_rules_are_pure() -> None:
    assert offenders(impure, RULES) == {}


def test_the_values_of_the_rules_cannot_be_changed() -> None:
    def loose(tree: ast.Module) -> Iterator[str]:
        for node in classes(tree):
            dataclasses = [text for text in map(ast.unparse, node.decorator_list) if text.startswith("dataclass")]
            if dataclasses and "frozen=True" not in dataclasses[0] and node.name not in WORKPIECES:
                yield node.name

    assert offenders(loose, RULES) == {}


def test_nobody_imports_upstream(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    failed = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert not failed, capsys.readouterr().out
