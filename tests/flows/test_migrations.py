"""The migrations make exactly the tables the models describe, and go up and down on a filled database."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

import engage.alerts.model
import engage.console.model
import engage.db.model
import engage.replies.model  # noqa: F401 - every table must be known
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.db import Base, Database, migrate
from engage.outreach.plan import plan
from tests.cast import NOON, Cast
from tests.conftest import RING

# References to a station further up are constraints of the database only: a model imports nothing from above it.
UPWARD = {
    "fk_consent_events_agency_id_reply_id",
    "fk_messages_agency_id_reply_id",
    "fk_messages_agency_id_alert_id",
    "fk_alerts_agency_id_reply_id",
    "fk_alert_events_agency_id_reply_id",
}


def test_models_and_migrations_agree(db: Database) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        differences = compare_metadata(context, Base.metadata)
    assert {difference[1].name for difference in differences} == UPWARD


def test_down_and_up_again_on_a_filled_database(cast: Cast) -> None:
    cast.visit(cast.rose)
    revisions = [migrate.newest()]
    while (at := migrate.current(cast.db)) is not None:
        migrate.downgrade(cast.db, "-1")
        revisions.append(at)
    with cast.db.engine.connect() as connection:
        left = connection.execute(
            text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        ).scalars()
        assert set(left) == {"alembic_version"}
    assert len(revisions) >= 8
    assert migrate.upgrade(cast.db, RING) == migrate.newest()
    migrate.check(cast.db, RING)


def test_down_where_texts_were_tried_again_and_landlines_called(cast: Cast) -> None:
    """The older release has one message an occasion, and knows no calls: the newest of a chain is left, nobody is called."""
    cast.visit(cast.rose)
    plan(cast.db, NOON)
    with cast.db.system_session("test") as session:
        session.execute(text("UPDATE agencies SET voice_reminders = true"))
        session.execute(
            text("UPDATE messages SET state = 'failed', reason = 'x', ended_at = :now WHERE asks = 'confirm'"),
            {"now": NOON},
        )
        session.execute(
            text(
                "INSERT INTO messages (agency_id, retry_of, kind, channel, priority, touchpoint_id, occasion, patient_id, contact_id,"
                " template, category, asks, planned_at, send_at, due_at, expires_at) SELECT agency_id, id, kind, 'voice', priority,"
                " touchpoint_id, occasion, patient_id, contact_id, 'call-' || template, category, asks, planned_at, send_at, due_at,"
                " expires_at FROM messages WHERE asks = 'confirm'"
            )
        )
        reason = Reason(AlertKind.UNDELIVERABLE, cast.id, cast.rose)
        open_alert(session, reason, NOON)
        open_alert(session, Reason(AlertKind.SILENCE, cast.id, cast.rose), NOON)
        open_alert(session, Reason(AlertKind.ROTA_GAP, cast.id), NOON)
    migrate.downgrade(cast.db, "0008_message_events")
    with cast.db.system_session("test") as session:
        states = session.execute(text("SELECT DISTINCT state FROM messages WHERE asks = 'confirm'")).scalars().all()
        kinds = session.execute(text("SELECT kind FROM alerts ORDER BY id")).scalars().all()
    assert (states, kinds) == (["cancelled"], ["reschedule", "symptom", "unreadable"])
    migrate.upgrade(cast.db, RING)
    with cast.db.system_session("test") as session:
        rules_of_each = text(
            "SELECT count(*) FROM alert_rules WHERE kind IN ('silence', 'rota_gap') GROUP BY agency_id"
        )
        rules = set(session.scalars(rules_of_each))
    assert rules == {2}


def test_down_where_pages_went_other_ways(cast: Cast) -> None:
    """The older release only texts: what waits for another way is not sent; what was done stays told."""
    with cast.db.system_session("test") as session:
        alert = open_alert(session, Reason(AlertKind.URGENT, cast.id, cast.rose), NOON)
        for channel in ("sms", "voice", "email"):
            session.execute(
                text(
                    "INSERT INTO messages (agency_id, kind, channel, priority, clinician_id, alert_id, alert_round, alert_step,"
                    " template, planned_at, send_at, due_at, expires_at) VALUES (:agency, 'page', :channel, -1, :ana, :alert, 1, 1,"
                    " 'page', :now, :now, :now, :now + interval '1 hour')"
                ),
                {"agency": cast.id, "channel": channel, "ana": cast.ana, "alert": alert, "now": NOON},
            )
        session.execute(
            text(
                "INSERT INTO alert_events (agency_id, alert_id, at, kind) VALUES (:agency, :alert, :now, 'passed_on')"
            ),
            {"agency": cast.id, "alert": alert, "now": NOON},
        )
    migrate.downgrade(cast.db, "0013_alert_kinds")
    with cast.db.system_session("test") as session:
        assert session.execute(text("SELECT channel, state FROM messages ORDER BY id")).all() == [
            ("sms", "planned"),
            ("sms", "cancelled"),
            ("sms", "cancelled"),
        ]
    migrate.upgrade(cast.db, RING)


def test_down_where_the_auditor_repaired(cast: Cast) -> None:
    """The older release has no word for it, and may not lose an event of an alert's story."""
    with cast.db.system_session("test") as session:
        alert = open_alert(session, Reason(AlertKind.URGENT, cast.id, cast.rose), NOON)
        session.execute(
            text("INSERT INTO alert_events (agency_id, alert_id, at, kind) VALUES (:agency, :alert, :now, 'repaired')"),
            {"agency": cast.id, "alert": alert, "now": NOON},
        )
    migrate.downgrade(cast.db, "0013_alert_kinds")
    with cast.db.system_session("test") as session:
        assert session.execute(text("SELECT kind FROM alert_events ORDER BY id")).scalars().all() == [
            "opened",
            "evidence",
        ]
    migrate.upgrade(cast.db, RING)


def test_a_second_upgrade_changes_nothing(db: Database) -> None:
    assert migrate.upgrade(db, RING) == migrate.newest()
