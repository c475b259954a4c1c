"""Structured logs, ids only: never a name, a number or a body. `configure` once per process, `get` anywhere."""

import logging
import sys
import traceback
from pathlib import Path
from typing import Any, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from engage import clock

_PRIVATE = frozenset({"name", "phone", "to", "from_", "body", "text", "first_name", "last_name", "number", "address"})


def _stamp(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["at"] = clock.now().isoformat(timespec="milliseconds")
    return event


def _drop_private(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Last guard: a key that would hold personal data is replaced, whoever wrote it."""
    for key in _PRIVATE & event.keys():
        event[key] = "[left out]"
    return event


def _where(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """An exception as its kind and the lines it passed: its message and its variables may hold a patient's words."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)[-8:]
        event["error"] = type(error).__name__
        event["where"] = " > ".join(f"{Path(frame.filename).stem}:{frame.lineno}" for frame in frames)
    return event


def configure(level: str = "INFO", *, as_json: bool | None = None) -> None:
    """Send logs to standard error: JSON lines when it is not a terminal, aligned text when it is."""
    json_lines = not sys.stderr.isatty() if as_json is None else as_json
    renderer = structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _stamp,
            _drop_private,
            _where,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    for noisy in ("twilio", "twilio.http_client", "apscheduler", "urllib3"):  # they log numbers, or every tick
        logging.getLogger(noisy).setLevel(logging.ERROR)


def get(**values: Any) -> FilteringBoundLogger:
    """A logger with `values` bound to every line."""
    return cast(FilteringBoundLogger, structlog.get_logger(**values))
