"""Health for machines: /healthz (this process), /readyz (database, workers, backlog), /metrics (Prometheus). Reads only."""

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from engage import clock
from engage.db import Database
from engage.reports.health import Health, health


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
        )
        return shown, 200 if found.is_working else 503

    @door.get("/metrics")
    def metrics() -> Response:
        registry = CollectorRegistry()
        registry.register(_Gauges(health(db, clock.now())))
        return Response(generate_latest(registry), mimetype="text/plain; version=0.0.4")

    return door


class _Gauges(Collector):
    """Counts from the rows, so that every process tells the same."""

    def __init__(self, found: Health) -> None:
        self._found = found

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
