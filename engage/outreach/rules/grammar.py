"""What a wording may say to Jinja: a wording in; every text it can become, or the fault that refuses it, out. Pure.

An allow-list of Jinja's syntax tree: text, placeholders, literals, `if`, `default`, comparisons. It is asked before Jinja
compiles anything, because compiling already computes (`9**9**9` would never end). Nothing here evaluates a template.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
MOST_WORDING = 2000
"""Characters of a wording; a text has 1,600 at most."""
MOST_VARIANTS = 64
"""Texts that one wording can become by its conditions: more than anybody can review."""


class FaultKind(StrEnum):
    """Why a wording cannot be read as one of ours."""

    BROKEN = "broken"
    NOT_ALLOWED = "not_allowed"
    TOO_MANY = "too_many_variants"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a wording is refused, and the piece of it that is at fault, if it can be named."""

    kind: FaultKind
    says: str
    piece: str | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a placeholder. `has_default`: other words stand in when it is missing."""

    name: str
    has_default: bool = False


Variant = tuple[str | Slot, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A placeholder in a condition: bare (`literal` is None and `operator` empty), or compared with a literal."""

    name: str
    operator: str = ""
    literal: str | int | float | None = None


@dataclass(frozen=True, slots=True)
class Grammar:
    """A wording that is allowed: every text it can become, and the conditions that choose among them."""

    variants: tuple[Variant, ...]
    conditions: tuple[Compared, ...]

    @property
    def names(self) -> frozenset[str]:
        """Every placeholder it asks for, printed or compared."""
        return frozenset(slot.name for slot in self.slots) | {compared.name for compared in self.conditions}

    @property
    def slots(self) -> frozenset[Slot]:
        """Every place of a placeholder in any of the texts."""
        return frozenset(piece for variant in self.variants for piece in variant if isinstance(piece, Slot))


class _Refused(Exception):
    def __init__(self, fault: Fault) -> None:
        self.fault = fault


_OPERATORS = {"eq", "ne", "lt", "lteq", "gt", "gteq"}
# How a person calls what the tree holds.
_NAMES = {
    "Getattr": "a look into a value (the dot)",
    "Getitem": "a look into a value (the brackets)",
    "Call": "a call",
    "For": "a loop",
    "Filter": "a filter other than default",
    "Test": "a test other than `is defined`",
    "Concat": "a joining of values",
    "Assign": "a variable",
    "Macro": "a macro",
    "Include": "an include",
    "Import": "an import",
    "Extends": "an extension",
    "List": "a list",
    "Dict": "a dictionary",
    "Tuple": "a list",
}
_ARITHMETIC = (nodes.BinExpr, nodes.UnaryExpr)


def read_wording(wording: str) -> Grammar | Fault:
    """Every text that `wording` can become, or why it is not allowed."""
    if len(wording) > MOST_WORDING:
        return Fault(FaultKind.BROKEN, f"It has {len(wording)} characters; {MOST_WORDING} are the most.")
    try:
        tree = ENVIRONMENT.parse(wording)
        conditions: list[Compared] = []
        variants = _body(tree.body, conditions)
    except TemplateSyntaxError as problem:
        return Fault(FaultKind.BROKEN, f"It cannot be read: {(problem.message or 'a bracket is missing').rstrip('.')}.")
    except (RecursionError, ValueError, OverflowError, MemoryError):
        return Fault(FaultKind.BROKEN, "It cannot be read: it is nested too deeply, or holds a number beyond all use.")
    except _Refused as refused:
        return refused.fault
    return Grammar(tuple(_merged(variant) for variant in variants), tuple(dict.fromkeys(conditions)))


def _body(statements: Sequence[nodes.Node], conditions: list[Compared]) -> list[Variant]:
    return _in_order(_statement(statement, conditions) for statement in statements)


def _statement(node: nodes.Node, conditions: list[Compared]) -> list[Variant]:
    if isinstance(node, nodes.Output):
        return _in_order(_expression(part, conditions) for part in node.nodes)
    if isinstance(node, nodes.If):
        found: list[Variant] = []
        for choice in (node, *node.elif_):
            _condition(choice.test, conditions)
            found += _body(choice.body, conditions)
        return _few([*found, *_body(node.else_, conditions)])  # no else: nothing at all
    raise _not_allowed(node)


def _expression(node: nodes.Node, conditions: list[Compared]) -> list[Variant]:
    if isinstance(node, nodes.TemplateData):
        return [(node.data,)]
    if isinstance(node, nodes.Const) and type(node.value) in {str, int, float}:
        return [(str(node.value),)]
    if isinstance(node, nodes.Name):
        return [(Slot(node.name),)]
    if isinstance(node, nodes.CondExpr):
        _condition(node.test, conditions)
        if node.expr2 is None:
            raise _Refused(Fault(FaultKind.NOT_ALLOWED, "An `if` inside {{ }} needs its `else`.", " if "))
        return _few([*_expression(node.expr1, conditions), *_expression(node.expr2, conditions)])
    if isinstance(node, nodes.Filter) and node.name == "default":
        return _default(node)
    raise _not_allowed(node)


def _default(node: nodes.Filter) -> list[Variant]:
    words, more = (node.args[0], node.args[1:]) if node.args else (None, [])
    is_plain = isinstance(node.node, nodes.Name) and not node.kwargs and not node.dyn_args and not node.dyn_kwargs
    if not (is_plain and isinstance(words, nodes.Const) and isinstance(words.value, str)):
        raise _Refused(Fault(FaultKind.NOT_ALLOWED, "Write default with words: {{ discipline | default('nurse') }}."))
    if len(more) > 1 or any(not isinstance(extra, nodes.Const) or extra.value is not True for extra in more):
        raise _Refused(Fault(FaultKind.NOT_ALLOWED, "After its words, default takes nothing but `true`."))
    assert isinstance(node.node, nodes.Name)
    return [(Slot(node.node.name, has_default=True),), (words.value,)]


def _condition(node: nodes.Node, conditions: list[Compared]) -> None:
    if isinstance(node, nodes.Name):
        conditions.append(Compared(node.name))
    elif isinstance(node, nodes.Not):
        _condition(node.node, conditions)
    elif isinstance(node, nodes.And | nodes.Or):
        _condition(node.left, conditions)
        _condition(node.right, conditions)
    elif isinstance(node, nodes.Test) and node.name == "defined" and isinstance(node.node, nodes.Name):
        conditions.append(Compared(node.node.name, "defined"))
    elif isinstance(node, nodes.Compare):
        conditions.append(_comparison(node))
    else:
        raise _not_allowed(node)


def _comparison(node: nodes.Compare) -> Compared:
    operand = node.ops[0]
    literal = operand.expr.value if isinstance(operand.expr, nodes.Const) else None
    if not isinstance(node.expr, nodes.Name) or len(node.ops) > 1 or type(literal) not in {str, int, float}:
        raise _Refused(
            Fault(FaultKind.NOT_ALLOWED, "Compare a placeholder with one word or number: `if severity == 3`.")
        )
    if operand.op not in _OPERATORS:
        raise _Refused(Fault(FaultKind.NOT_ALLOWED, f"`{operand.op}` is not allowed: use ==, !=, <, <=, > or >=."))
    return Compared(node.expr.name, operand.op, literal)


def _in_order(parts: Iterable[list[Variant]]) -> list[Variant]:
    """Every way through `parts`, one after the other."""
    found: list[Variant] = [()]
    for choices in parts:
        found = _few([(*head, *tail) for head, tail in product(found, choices)])
    return found


def _few(variants: list[Variant]) -> list[Variant]:
    unique = list(dict.fromkeys(variants))
    if len(unique) > MOST_VARIANTS:
        says = f"Its conditions make more than {MOST_VARIANTS} texts, which nobody can review: use fewer."
        raise _Refused(Fault(FaultKind.TOO_MANY, says))
    return unique


def _merged(variant: Variant) -> Variant:
    """The same text with neighbouring words as one piece."""
    merged: list[str | Slot] = []
    for piece in variant:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return tuple(merged)


def _not_allowed(node: nodes.Node) -> _Refused:
    name = type(node).__name__
    what = "arithmetic" if isinstance(node, _ARITHMETIC) else _NAMES.get(name, f"`{name}`")
    says = f"It has {what}. Only words, placeholders, `if`, `default` and comparisons are allowed."
    return _Refused(Fault(FaultKind.NOT_ALLOWED, says, _piece(node)))


def _piece(node: nodes.Node) -> str | None:
    """A name in the faulty part, so that a person finds the place."""
    if isinstance(node, nodes.Getattr):
        return f".{node.attr}"
    if isinstance(node, nodes.Filter | nodes.Test):
        return node.name
    found = node.find(nodes.Name)
    return found.name if found is not None else None
