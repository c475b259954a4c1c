"""Ladders and alerts."""

from alembic import op

revision = "0006_alerts"
down_revision = "0005_replies"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE ladders (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    key TEXT NOT NULL,
    rounds SMALLINT DEFAULT '3' NOT NULL,
    CONSTRAINT pk_ladders PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_ladders_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT uq_ladders_agency_id_key UNIQUE (agency_id, key),
    CONSTRAINT ck_ladders_rounds_are_few CHECK (rounds BETWEEN 1 AND 20)
);
CREATE TABLE ladder_steps (
    agency_id BIGINT NOT NULL,
    ladder_id BIGINT NOT NULL,
    position SMALLINT NOT NULL,
    who TEXT NOT NULL,
    wait_minutes SMALLINT NOT NULL,
    CONSTRAINT pk_ladder_steps PRIMARY KEY (agency_id, ladder_id, position),
    CONSTRAINT fk_ladder_steps_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_ladder_steps_agency_id_ladder_id FOREIGN KEY(agency_id, ladder_id) REFERENCES ladders (agency_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_ladder_steps_who_is_known CHECK (who IN ('nurse', 'on_call', 'scheduler', 'supervisor')),
    CONSTRAINT ck_ladder_steps_wait_is_sane CHECK (wait_minutes BETWEEN 1 AND 1440)
);
CREATE TABLE alert_rules (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    kind TEXT NOT NULL,
    severity SMALLINT NOT NULL,
    ladder_id BIGINT NOT NULL,
    acknowledged_minutes SMALLINT NOT NULL,
    CONSTRAINT pk_alert_rules PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_alert_rules_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_alert_rules_agency_id_ladder_id FOREIGN KEY(agency_id, ladder_id) REFERENCES ladders (agency_id, id),
    CONSTRAINT uq_alert_rules_agency_id_kind UNIQUE (agency_id, kind),
    CONSTRAINT ck_alert_rules_kind_is_known CHECK (kind IN ('urgent', 'low_score', 'symptom', 'callback', 'reschedule', 'cancel_visit', 'question', 'complaint', 'low_survey', 'opt_out', 'wrong_number', 'death', 'hospital', 'unreadable')),
    CONSTRAINT ck_alert_rules_severity_is_known CHECK (severity BETWEEN 1 AND 3),
    CONSTRAINT ck_alert_rules_acknowledgement_ends CHECK (acknowledged_minutes BETWEEN 5 AND 10080)
);
CREATE TABLE alerts (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id BIGINT,
    contact_id BIGINT,
    reply_id BIGINT,
    kind TEXT NOT NULL,
    severity SMALLINT NOT NULL,
    state TEXT DEFAULT 'open' NOT NULL,
    code TEXT NOT NULL,
    ladder_id BIGINT NOT NULL,
    round SMALLINT DEFAULT '1' NOT NULL,
    step SMALLINT DEFAULT '0' NOT NULL,
    next_due_at TIMESTAMP WITH TIME ZONE,
    exhausted_at TIMESTAMP WITH TIME ZONE,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    acknowledged_at TIMESTAMP WITH TIME ZONE,
    acknowledged_by BIGINT,
    resolved_at TIMESTAMP WITH TIME ZONE,
    resolved_by BIGINT,
    outcome TEXT,
    note BYTEA,
    CONSTRAINT pk_alerts PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_alerts_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_alerts_agency_id_patient_id FOREIGN KEY(agency_id, patient_id) REFERENCES patients (agency_id, id),
    CONSTRAINT fk_alerts_agency_id_contact_id FOREIGN KEY(agency_id, contact_id) REFERENCES contacts (agency_id, id),
    CONSTRAINT fk_alerts_agency_id_reply_id FOREIGN KEY(agency_id, reply_id) REFERENCES replies (agency_id, id),
    CONSTRAINT fk_alerts_agency_id_ladder_id FOREIGN KEY(agency_id, ladder_id) REFERENCES ladders (agency_id, id),
    CONSTRAINT fk_alerts_agency_id_acknowledged_by FOREIGN KEY(agency_id, acknowledged_by) REFERENCES clinicians (agency_id, id),
    CONSTRAINT fk_alerts_agency_id_resolved_by FOREIGN KEY(agency_id, resolved_by) REFERENCES clinicians (agency_id, id),
    CONSTRAINT ck_alerts_kind_is_known CHECK (kind IN ('urgent', 'low_score', 'symptom', 'callback', 'reschedule', 'cancel_visit', 'question', 'complaint', 'low_survey', 'opt_out', 'wrong_number', 'death', 'hospital', 'unreadable')),
    CONSTRAINT ck_alerts_severity_is_known CHECK (severity BETWEEN 1 AND 3),
    CONSTRAINT ck_alerts_state_is_known CHECK (state IN ('open', 'acknowledged', 'resolved')),
    CONSTRAINT ck_alerts_code_is_digits CHECK (code ~ '^[0-9]{4,6}$'),
    CONSTRAINT ck_alerts_open_has_next_step CHECK (state <> 'open' OR next_due_at IS NOT NULL OR exhausted_at IS NOT NULL),
    CONSTRAINT ck_alerts_acknowledgement_ends CHECK (state <> 'acknowledged' OR (acknowledged_at IS NOT NULL AND next_due_at IS NOT NULL)),
    CONSTRAINT ck_alerts_resolved_says_how CHECK ((state = 'resolved') = (resolved_at IS NOT NULL AND outcome IS NOT NULL)),
    CONSTRAINT ck_alerts_outcome_is_known CHECK (outcome IS NULL OR outcome IN ('called', 'visit_added', 'visit_moved', 'virtual_visit', 'medicine_changed', 'sent_to_911', 'hospital', 'no_answer', 'family_reached', 'nothing_needed'))
);
CREATE INDEX ix_alerts_due ON alerts (next_due_at) WHERE state <> 'resolved';
CREATE INDEX ix_alerts_patient ON alerts (agency_id, patient_id, opened_at);
CREATE UNIQUE INDEX uq_alerts_code ON alerts (agency_id, code) WHERE state <> 'resolved';
CREATE UNIQUE INDEX uq_alerts_reply_kind ON alerts (agency_id, reply_id, kind) WHERE reply_id IS NOT NULL;
CREATE TABLE alert_events (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    alert_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    clinician_id BIGINT,
    message_id BIGINT,
    reply_id BIGINT,
    detail JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_alert_events PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_alert_events_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_alert_events_agency_id_alert_id FOREIGN KEY(agency_id, alert_id) REFERENCES alerts (agency_id, id),
    CONSTRAINT fk_alert_events_agency_id_clinician_id FOREIGN KEY(agency_id, clinician_id) REFERENCES clinicians (agency_id, id),
    CONSTRAINT fk_alert_events_agency_id_message_id FOREIGN KEY(agency_id, message_id) REFERENCES messages (agency_id, id),
    CONSTRAINT fk_alert_events_agency_id_reply_id FOREIGN KEY(agency_id, reply_id) REFERENCES replies (agency_id, id),
    CONSTRAINT ck_alert_events_kind_is_known CHECK (kind IN ('opened', 'evidence', 'paged', 'nobody', 'page_failed', 'acknowledged', 'reopened', 'resolved', 'exhausted'))
);
CREATE INDEX ix_alert_events_alert ON alert_events (agency_id, alert_id, at, id);
ALTER TABLE messages ADD CONSTRAINT fk_messages_agency_id_alert_id FOREIGN KEY(agency_id, alert_id) REFERENCES alerts (agency_id, id);

SELECT engage_guard('ladders', false);
SELECT engage_guard('ladder_steps', false);
SELECT engage_guard('alert_rules', false);
SELECT engage_guard('alerts', false);
SELECT engage_guard('alert_events', true);
"""

DOWN = """
ALTER TABLE messages DROP CONSTRAINT fk_messages_agency_id_alert_id;
DROP TABLE alert_events;
DROP TABLE alerts;
DROP TABLE alert_rules;
DROP TABLE ladder_steps;
DROP TABLE ladders;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
