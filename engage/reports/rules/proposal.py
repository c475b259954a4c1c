"""Proposed rules: the present ones and what somebody wants changed in, the changed ones out, or a sentence. Pure.

Changes come as lines ("low_score.severity=3") or as tables in the form of config/default.toml.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from engage.alerts.rules.ladder import Step
from engage.alerts.rules.steps import read_step
from engage.alerts.rules.words import AlertKind, Severity, Who
from engage.errors import BadInput
from engage.reports.rules.budget import LadderRule, Rules

_TABLES = ("touchpoint", "alert", "ladder")


def changed_by_lines(rules: Rules, lines: Iterable[str], checkins: frozenset[str]) -> Rules:
    """`rules` with each of `lines` changed; `checkins` are the touchpoints that a bare alert_at_most is about.

    Lines: alert_at_most=3, survey.alert_at_most=none, low_score.severity=3, low_score.ladder=supervisor, nurse.rounds=2,
    nurse.steps=nurse 5, on_call 10. Raises BadInput.
    """
    for line in lines:
        name, equals, value = (part.strip() for part in line.partition("="))
        subject, dot, field = name.rpartition(".")
        if not (name and equals and value):
            raise BadInput(f"--set {line}: expected NAME=VALUE, e.g. --set alert_at_most=3.")
        if not dot and field == "alert_at_most":
            for key in sorted(checkins):
                rules = _touchpoint(rules, key, {field: value})
        elif subject in rules.at_most and field == "alert_at_most":
            rules = _touchpoint(rules, subject, {field: value})
        elif subject in set(AlertKind):
            rules = _alert(rules, subject, {field: value})
        elif subject in rules.ladders:
            rules = _ladder(rules, subject, {field: _steps_of(value) if field == "steps" else value})
        else:
            known = ", ".join([*sorted(rules.at_most), *AlertKind, *sorted(rules.ladders)])
            raise BadInput(f"--set {line}: {name!r} names nothing here; before the dot stands one of: {known}.")
    return rules


def changed_by_tables(rules: Rules, tables: Mapping[str, Any]) -> Rules:
    """`rules` with what a TOML file says: [[touchpoint]] key and alert_at_most, [alert.KIND], [[ladder]]. Raises BadInput."""
    strange = sorted(set(tables) - set(_TABLES))
    if strange:
        raise BadInput(f"The rules hold {', '.join(strange)}; only {', '.join(_TABLES)} can be replayed.")
    for given in _list(tables, "ladder"):
        key, fields = _keyed(given, "ladder")
        rules = _ladder(rules, key, fields)
    for given in _list(tables, "touchpoint"):
        key, fields = _keyed(given, "touchpoint")
        rules = _touchpoint(rules, key, fields)
    kinds = tables.get("alert", {})
    if not isinstance(kinds, Mapping):
        raise BadInput("The rules' alerts must be tables such as [alert.low_score].")
    for kind, fields in kinds.items():
        rules = _alert(rules, kind, fields if isinstance(fields, Mapping) else {"?": fields})
    return rules


def _touchpoint(rules: Rules, key: str, fields: Mapping[str, Any]) -> Rules:
    if key not in rules.at_most:
        known = ", ".join(sorted(rules.at_most)) or "none"
        raise BadInput(f"No touchpoint {key!r} asks for a score; there are: {known}.")
    _only(fields, {"alert_at_most"}, f"Touchpoint {key}")
    value = fields.get("alert_at_most")
    at_most = None if value in (None, "none") else _number(value, 0, 10, f"{key}.alert_at_most")
    return replace(rules, at_most={**rules.at_most, key: at_most})


def _alert(rules: Rules, kind: str, fields: Mapping[str, Any]) -> Rules:
    if kind not in set(AlertKind):
        raise BadInput(f"{kind!r} is no kind of alert; there are: {', '.join(AlertKind)}.")
    _only(fields, {"severity", "ladder", "acknowledged_minutes"}, f"Alert {kind}")
    rule = rules.kinds[AlertKind(kind)]
    if "severity" in fields:
        rule = replace(rule, severity=_number(fields["severity"], min(Severity), max(Severity), f"{kind}.severity"))
    if "ladder" in fields:
        if fields["ladder"] not in rules.ladders:
            known = ", ".join(sorted(rules.ladders))
            raise BadInput(f"{kind}.ladder: there is no ladder {fields['ladder']!r}; there are: {known}.")
        rule = replace(rule, ladder=fields["ladder"])
    return replace(rules, kinds={**rules.kinds, AlertKind(kind): rule})


def _ladder(rules: Rules, key: str, fields: Mapping[str, Any]) -> Rules:
    _only(fields, {"rounds", "steps"}, f"Ladder {key}")
    was = rules.ladders.get(key)
    if was is None and not {"rounds", "steps"} <= set(fields):
        raise BadInput(f"Ladder {key} is new, so it needs rounds and steps.")
    rounds = _number(fields["rounds"], 1, 20, f"{key}.rounds") if "rounds" in fields else was.rounds if was else 1
    steps = _steps(fields["steps"], key) if "steps" in fields else was.steps if was else ()
    kept = {own: ladder for own, ladder in rules.of_branches.items() if own[0] != key}
    return replace(rules, ladders={**rules.ladders, key: LadderRule(steps, rounds)}, of_branches=kept)


def _steps(given: Any, key: str) -> tuple[Step, ...]:
    """Steps as engage ladder takes them ("on_call:SN 15 x2 17:00-08:00"), or as in config/default.toml."""
    if not isinstance(given, list) or not given or not all(isinstance(step, Mapping | str) for step in given):
        raise BadInput(
            f'{key}.steps: expected at least one step such as "nurse 10", or {{ who = "nurse", wait_minutes = 10 }}.'
        )
    found = []
    for number, step in enumerate(given, start=1):
        if isinstance(step, Mapping):
            _only(step, {"who", "wait_minutes"}, f"Step {number} of ladder {key}")
        words = step if isinstance(step, str) else f"{step.get('who')} {step.get('wait_minutes')}"
        written = read_step(words)
        if written.who is Who.PERSON:
            raise BadInput(f"Step {number} of ladder {key}: a step for one person cannot be proposed here.")
        found.append(
            Step(
                id=-number,
                who=written.who,
                wait=timedelta(minutes=written.minutes),
                channel=written.channel,
                times=written.times,
                discipline=written.of,
                hours=written.hours,
            )
        )
    return tuple(found)


def _steps_of(line: str) -> list[str]:
    return [part.strip() for part in line.split(",")]


def _number(value: Any, least: int, most: int, what: str) -> int:
    plain = value.strip() if isinstance(value, str) else value
    if isinstance(plain, str) and plain.isascii() and plain.isdigit() and len(plain) < 6:
        plain = int(plain)
    if not isinstance(plain, int) or isinstance(plain, bool) or not least <= plain <= most:
        raise BadInput(f"{what} must be a whole number from {least} to {most}, not {value!r}.")
    return plain


def _only(fields: Mapping[str, Any], known: set[str], what: str) -> None:
    strange = sorted(set(fields) - known)
    if strange:
        raise BadInput(f"{what} has {', '.join(strange)}; only {', '.join(sorted(known))} can be replayed.")


def _list(tables: Mapping[str, Any], name: str) -> list[Any]:
    found = tables.get(name, [])
    if not isinstance(found, list):
        raise BadInput(f"The rules' {name}s must be a list: [[{name}]].")
    return found


def _keyed(given: Any, what: str) -> tuple[str, dict[str, Any]]:
    if not isinstance(given, Mapping) or not isinstance(given.get("key"), str):
        raise BadInput(f'Each [[{what}]] of the rules needs its key, e.g. key = "nurse".')
    return given["key"], {name: value for name, value in given.items() if name != "key"}
