"""Health for machines: /healthz (this process), /readyz (database, workers, auditor, backlog), /metrics (Prometheus). Reads only."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from engage import clock
from engage.alerts.rules.audit import Finding
from engage.db import Database
from engage.reports.health import Health, LastAudit, health
from engage.reports.response import Wait, waits


def health_door(db: Database) -> Blueprint:
    """GET /healthz, /readyz and /metrics."""
    door = Blueprint("health", __name__)

    @door.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @door.get("/readyz")
    def readyz() -> tuple[Response, int]:
        try:
            found = health(db, clock.now())
        except SQLAlchemyError:
            return jsonify(ready=False, problems=["The database does not answer."]), 503
        shown = jsonify(
            ready=found.is_working,
            problems=found.problems,
            counts=found.counts,
            seconds_since_tick=found.seconds_since,
            audit=asdict(found.audit),
        )
        return shown, 200 if found.is_working else 503

    @door.get("/metrics")
    def metrics() -> Response:
        now = clock.now()
        registry = CollectorRegistry()
        registry.register(_Numbers(health(db, now), waits(db, now)))
        return Response(generate_latest(registry), mimetype="text/plain; version=0.0.4")

    return door


class _Numbers(Collector):
    """Counts and times from the rows, so that every process tells the same."""

    def __init__(self, found: Health, waited: Sequence[Wait]) -> None:
        self._found = found
        self._waited = waited

    def collect(self) -> Iterator[Metric]:
        for name, value in self._found.counts.items():
            gauge = GaugeMetricFamily(f"engage_{name}", f"How many: {name.replace('_', ' ')}")
            gauge.add_metric([], float(value))
            yield gauge
        ticks = GaugeMetricFamily(
            "engage_seconds_since_tick", "Seconds since a worker last ran a verb", labels=["verb"]
        )
        for verb, seconds in self._found.seconds_since.items():
            ticks.add_metric([verb], seconds)
        yield ticks
        yield from _of_audit(self._found.audit)
        yield from _of_waits(self._waited)


def _of_audit(last: LastAudit) -> Iterator[Metric]:
    for name, seconds, told in (
        ("engage_seconds_since_audit", last.seconds_since, "Seconds since the auditor last looked at everything"),
        ("engage_seconds_since_ping", last.seconds_since_ping, "Seconds since the outside monitor last heard of us"),
    ):
        since = GaugeMetricFamily(name, told)
        if seconds is not None:
            since.add_metric([], seconds)
        yield since
    found = GaugeMetricFamily("engage_audit_findings", "What the last audit found", labels=["finding"])
    for finding in Finding:
        found.add_metric([finding], float(last.findings.get(finding, 0)))
    yield found
    repaired = CounterMetricFamily(
        "engage_alerts_repaired_total", "Alerts that had lost their next step and were made due"
    )
    repaired.add_metric([], float(last.repaired))
    yield repaired


def _of_waits(waited: Sequence[Wait]) -> Iterator[Metric]:
    """Gauges, not a summary: they are of the alerts of one day, and go down again."""
    for step in ("page", "acknowledge", "resolve"):
        times = GaugeMetricFamily(
            f"engage_alert_time_to_{step}_seconds",
            f"Seconds from the opening of the last day's alerts to {step}, by quantile; those that wait count as they are",
            labels=["severity", "quantile"],
        )
        for wait in waited:
            if wait.step == step:
                for quantile, seconds in wait.seconds.items():
                    times.add_metric([wait.severity.name.lower(), f"{quantile:g}"], seconds)
        yield times
