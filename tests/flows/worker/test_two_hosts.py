"""Two hosts over one PostgreSQL: they share the work without being told of each other, and one of them may vanish."""

from __future__ import annotations

import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bench import patients
from engage.db import Database, encryption, migrate
from engage.db.embedded import EmbeddedPostgres
from engage.db.encryption import KeyRing
from engage.settings import parse_key_ring
from engage.simulation.twilio import FakeTwilio
from tests.flows.worker.hosts import Host, Network, Relay, missing, network
from tests.flows.worker.program import ACCOUNT, KEYS, SECRET, TOKEN, wait_until

LACK = missing()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(LACK), reason=LACK)]

MESSAGES = 300


class Site:
    """A database that listens on the bridge, a fake Twilio behind one relay a host, a balancer before both webs, two hosts."""

    def __init__(self, stack: ExitStack) -> None:
        self.network: Network = stack.enter_context(network(2))
        self.db = self._open_database(stack)
        patients.settle(self.db, MESSAGES)
        fake = FakeTwilio(
            account_sid=ACCOUNT, auth_token=TOKEN, host=self.network.address, latency_ms=40, webhooks_at_once=8
        )
        self.fake = stack.enter_context(fake)
        self.fake.behaviour.delivery_seconds = 0.1
        for number in (patients.SENDER, patients.PAGES):
            self.fake.add_number(number)
        self.fake.run_in_real_time()
        twilio = (self.network.address, urlsplit(self.fake.url).port or 0)
        self.ways = {host.name: Relay(self.network.address, [twilio]) for host in self.network.hosts}
        self.balancer = Relay(self.network.address, [(host.address, 8080) for host in self.network.hosts])
        for relay in (*self.ways.values(), self.balancer):
            stack.callback(relay.close)
        for host in self.network.hosts:
            for command in ("web", "worker"):
                host.start(command, self._settings(host))

    def _open_database(self, stack: ExitStack) -> Database:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engage-hosts-")))
        rights, password = folder / "pg_hba.conf", secrets.token_urlsafe(20)
        folder.chmod(0o755)
        rights.write_text(f"local all all trust\nhost engage engage {self.network.subnet} scram-sha-256\n")
        settings = {
            "listen_addresses": self.network.address,
            "hba_file": str(rights),
            "max_connections": "200",
            "idle_in_transaction_session_timeout": "5s",  # what a vanished host held is let go
        }
        data = folder / "data"
        server = stack.enter_context(EmbeddedPostgres(data, settings=settings, durable=False))
        with psycopg.connect(_plain(server.superuser_url), autocommit=True) as superuser:
            superuser.execute(f"ALTER ROLE engage PASSWORD '{password}'")
        ring = KeyRing(parse_key_ring(KEYS), SECRET)
        encryption.use(ring)
        db = Database(server.url(), pool_size=3)
        stack.callback(db.close)
        migrate.upgrade(db, ring)
        self._address = f"postgresql://engage:{password}@{self.network.address}/engage"
        return db

    def _settings(self, host: Host) -> dict[str, str]:
        """The same on both hosts, but for where a host listens and by which way it reaches Twilio."""
        named = {
            "DATABASE_URL": self._address,
            "SECRET_KEY": SECRET,
            "ENCRYPTION_KEYS": KEYS,
            "PUBLIC_URL": self.balancer.url,
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_URL": self.ways[host.name].url,
            "WEB_HOST": host.address,
            "TICK_SECONDS": "0.1",
            "PLAN_SECONDS": "2",
            "PLAN_HORIZON_HOURS": "1",
            "DISPATCH_BATCH": "10",
            "DISPATCH_AT_ONCE": "2",
        }
        return {f"ENGAGE_{name}": value for name, value in named.items()}

    def sql(self, statement: str) -> list[Any]:
        """Rows of any statement."""
        with self.db.system_session("test") as session:
            result = session.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []

    def states(self) -> Counter[str]:
        """How many messages are in which state."""
        return Counter(dict(self.sql("SELECT state, count(*) FROM messages GROUP BY state")))

    def said(self) -> str:
        """What to read when it fails."""
        return f"{self.states()} " + "\n".join(host.said() for host in self.network.hosts)

    def hosts_at_work(self) -> set[str]:
        """Names of the hosts whose workers tick."""
        return {worker.rpartition(":")[0] for (worker,) in self.sql("SELECT worker FROM ticks WHERE verb = 'dispatch'")}


@pytest.fixture
def site() -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(stack)


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def test_two_hosts_share_the_work_and_one_of_them_vanishes(site: Site) -> None:
    staying, leaving = site.network.hosts
    wait_until(lambda: site.hosts_at_work() == {staying.name, leaving.name}, site.said)

    with site.db.system_session("test") as session:
        patients.make_due(session, MESSAGES)
    wait_until(lambda: all(way.posts >= 20 for way in site.ways.values()), site.said)

    leaving.cut_off()
    leaving.kill()
    assert site.states()["planned"] > 0, "it was over before the host vanished"

    # everything that can be done without waiting for a lease is done by the other host
    left = "SELECT count(*) FROM messages WHERE state IN ('planned', 'sending', 'unknown')"
    stuck = "SELECT count(*) FROM messages WHERE state IN ('sending', 'unknown') AND claimed_at < now() - interval '12 seconds'"
    wait_until(lambda: site.sql(left) == site.sql(stuck), site.said)
    # a minute and a half passes
    site.sql("UPDATE messages SET lease_until = now() - interval '1 minute' WHERE state = 'sending'")
    wait_until(lambda: not site.states()["sending"], site.said)
    site.sql("UPDATE messages SET due_at = now() - interval '1 minute' WHERE state = 'unknown'")
    wait_until(lambda: set(site.states()) == {"delivered"}, site.said)

    got = Counter(message.to for message in site.fake.messages)
    assert len(got) == MESSAGES, "lost"
    assert set(got.values()) == {1}, "sent twice"
    assert site.ways[leaving.name].posts < MESSAGES > site.ways[staying.name].posts
