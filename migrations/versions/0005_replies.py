"""Replies, readings, scores."""

from alembic import op

revision = "0005_replies"
down_revision = "0004_outreach"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE replies (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    sid TEXT NOT NULL,
    sender_id BIGINT NOT NULL,
    contact_id BIGINT,
    clinician_id BIGINT,
    phone BYTEA NOT NULL,
    phone_hash BYTEA NOT NULL,
    body BYTEA NOT NULL,
    media SMALLINT DEFAULT '0' NOT NULL,
    provider_answered BOOLEAN DEFAULT 'false' NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT DEFAULT 'stored' NOT NULL,
    failures SMALLINT DEFAULT '0' NOT NULL,
    handled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_replies PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_replies_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_replies_agency_id_sender_id FOREIGN KEY(agency_id, sender_id) REFERENCES senders (agency_id, id),
    CONSTRAINT fk_replies_agency_id_contact_id FOREIGN KEY(agency_id, contact_id) REFERENCES contacts (agency_id, id),
    CONSTRAINT fk_replies_agency_id_clinician_id FOREIGN KEY(agency_id, clinician_id) REFERENCES clinicians (agency_id, id),
    CONSTRAINT uq_replies_sid UNIQUE (sid),
    CONSTRAINT ck_replies_state_is_known CHECK (state IN ('stored', 'handled', 'needs_person')),
    CONSTRAINT ck_replies_handled_has_its_time CHECK ((state = 'stored') = (handled_at IS NULL)),
    CONSTRAINT ck_replies_has_one_author CHECK (contact_id IS NULL OR clinician_id IS NULL)
);
CREATE INDEX ix_replies_contact ON replies (agency_id, contact_id, received_at);
CREATE INDEX ix_replies_phone ON replies (agency_id, phone_hash, received_at);
CREATE INDEX ix_replies_stored ON replies (received_at) WHERE state = 'stored';
CREATE TABLE readings (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    reply_id BIGINT NOT NULL,
    asked_message_id BIGINT,
    rule_version TEXT NOT NULL,
    intents TEXT[] NOT NULL,
    score SMALLINT,
    confidence DOUBLE PRECISION NOT NULL,
    needs_person BOOLEAN NOT NULL,
    evidence BYTEA NOT NULL,
    outcome JSONB NOT NULL,
    read_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_readings PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_readings_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_readings_agency_id_reply_id FOREIGN KEY(agency_id, reply_id) REFERENCES replies (agency_id, id),
    CONSTRAINT fk_readings_agency_id_asked_message_id FOREIGN KEY(agency_id, asked_message_id) REFERENCES messages (agency_id, id),
    CONSTRAINT uq_readings_agency_id_reply_id_rule_version UNIQUE (agency_id, reply_id, rule_version),
    CONSTRAINT ck_readings_confidence_is_a_share CHECK (confidence BETWEEN 0 AND 1)
);
CREATE TABLE scores (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id BIGINT NOT NULL,
    reply_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    scale SMALLINT NOT NULL,
    value SMALLINT NOT NULL,
    given_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_scores PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_scores_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_scores_agency_id_patient_id FOREIGN KEY(agency_id, patient_id) REFERENCES patients (agency_id, id),
    CONSTRAINT fk_scores_agency_id_reply_id FOREIGN KEY(agency_id, reply_id) REFERENCES replies (agency_id, id),
    CONSTRAINT fk_scores_agency_id_message_id FOREIGN KEY(agency_id, message_id) REFERENCES messages (agency_id, id),
    CONSTRAINT uq_scores_agency_id_reply_id UNIQUE (agency_id, reply_id),
    CONSTRAINT ck_scores_value_is_on_the_scale CHECK (scale IN (5, 10) AND value BETWEEN 1 AND scale)
);
CREATE INDEX ix_scores_patient ON scores (agency_id, patient_id, given_at);
ALTER TABLE consent_events ADD CONSTRAINT fk_consent_events_agency_id_reply_id FOREIGN KEY(agency_id, reply_id) REFERENCES replies (agency_id, id);
ALTER TABLE messages ADD CONSTRAINT fk_messages_agency_id_reply_id FOREIGN KEY(agency_id, reply_id) REFERENCES replies (agency_id, id);

SELECT engage_guard('replies', false);
SELECT engage_guard('readings', false);
SELECT engage_guard('scores', false);
"""

DOWN = """
ALTER TABLE consent_events DROP CONSTRAINT fk_consent_events_agency_id_reply_id;
ALTER TABLE messages DROP CONSTRAINT fk_messages_agency_id_reply_id;
DROP TABLE scores;
DROP TABLE readings;
DROP TABLE replies;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
