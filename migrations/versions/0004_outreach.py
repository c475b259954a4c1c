"""Touchpoints, templates, messages, receipts."""

from alembic import op

revision = "0004_outreach"
down_revision = "0003_visits"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE touchpoints (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    key TEXT NOT NULL,
    anchor TEXT NOT NULL,
    offset_days SMALLINT DEFAULT '0' NOT NULL,
    offset_minutes SMALLINT DEFAULT '0' NOT NULL,
    local_time TIME WITHOUT TIME ZONE,
    useful_minutes SMALLINT NOT NULL,
    category TEXT NOT NULL,
    priority SMALLINT NOT NULL,
    template TEXT NOT NULL,
    asks TEXT NOT NULL,
    only_monitored BOOLEAN DEFAULT 'false' NOT NULL,
    alert_at_most SMALLINT,
    is_active BOOLEAN DEFAULT 'true' NOT NULL,
    CONSTRAINT pk_touchpoints PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_touchpoints_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT uq_touchpoints_agency_id_key UNIQUE (agency_id, key),
    CONSTRAINT ck_touchpoints_anchor_is_known CHECK (anchor IN ('visit_day', 'visit_completed', 'every_day')),
    CONSTRAINT ck_touchpoints_asks_is_known CHECK (asks IN ('nothing', 'confirm', 'score_1_5', 'score_1_10')),
    CONSTRAINT ck_touchpoints_category_is_known CHECK (category IN ('visits', 'checkins', 'surveys')),
    CONSTRAINT ck_touchpoints_time_fits_the_anchor CHECK ((anchor = 'visit_completed') = (local_time IS NULL)),
    CONSTRAINT ck_touchpoints_useful_for_a_while CHECK (useful_minutes BETWEEN 5 AND 10080),
    CONSTRAINT ck_touchpoints_priority_is_below_pages CHECK (priority BETWEEN 3 AND 9)
);
CREATE TABLE templates (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    key TEXT NOT NULL,
    language TEXT NOT NULL,
    version SMALLINT NOT NULL,
    wording TEXT NOT NULL,
    written_by TEXT NOT NULL,
    reviewed_by TEXT,
    reviewed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_templates PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_templates_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT uq_templates_agency_id_key_language_version UNIQUE (agency_id, key, language, version),
    CONSTRAINT ck_templates_review_has_name_and_time CHECK ((reviewed_by IS NULL) = (reviewed_at IS NULL))
);
CREATE TABLE messages (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    kind TEXT NOT NULL,
    priority SMALLINT NOT NULL,
    touchpoint_id BIGINT,
    occasion TEXT,
    patient_id BIGINT,
    contact_id BIGINT,
    clinician_id BIGINT,
    visit_id BIGINT,
    reply_id BIGINT,
    alert_id BIGINT,
    alert_round SMALLINT,
    alert_step SMALLINT,
    template TEXT NOT NULL,
    params JSONB DEFAULT '{}' NOT NULL,
    category TEXT,
    asks TEXT DEFAULT 'nothing' NOT NULL,
    planned_at TIMESTAMP WITH TIME ZONE NOT NULL,
    send_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT DEFAULT 'planned' NOT NULL,
    reason TEXT,
    attempts SMALLINT DEFAULT '0' NOT NULL,
    attempt_id UUID,
    claimed_at TIMESTAMP WITH TIME ZONE,
    lease_until TIMESTAMP WITH TIME ZONE,
    sender_id BIGINT,
    sid TEXT,
    error_code INTEGER,
    body BYTEA,
    language TEXT,
    segments SMALLINT,
    accepted_at TIMESTAMP WITH TIME ZONE,
    asked_at TIMESTAMP WITH TIME ZONE,
    sent_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_messages PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_messages_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_messages_agency_id_touchpoint_id FOREIGN KEY(agency_id, touchpoint_id) REFERENCES touchpoints (agency_id, id),
    CONSTRAINT fk_messages_agency_id_patient_id FOREIGN KEY(agency_id, patient_id) REFERENCES patients (agency_id, id),
    CONSTRAINT fk_messages_agency_id_contact_id FOREIGN KEY(agency_id, contact_id) REFERENCES contacts (agency_id, id),
    CONSTRAINT fk_messages_agency_id_clinician_id FOREIGN KEY(agency_id, clinician_id) REFERENCES clinicians (agency_id, id),
    CONSTRAINT fk_messages_agency_id_visit_id FOREIGN KEY(agency_id, visit_id) REFERENCES visits (agency_id, id),
    CONSTRAINT fk_messages_agency_id_sender_id FOREIGN KEY(agency_id, sender_id) REFERENCES senders (agency_id, id),
    CONSTRAINT ck_messages_kind_is_known CHECK (kind IN ('touchpoint', 'opt_out_confirmation', 'answer', 'page', 'note')),
    CONSTRAINT ck_messages_asks_is_known CHECK (asks IN ('nothing', 'confirm', 'score_1_5', 'score_1_10')),
    CONSTRAINT ck_messages_state_is_known CHECK (state IN ('planned', 'sending', 'accepted', 'sent', 'delivered', 'undelivered', 'failed', 'expired', 'cancelled', 'suppressed', 'unknown')),
    CONSTRAINT ck_messages_is_useful_for_a_while CHECK (send_at < expires_at),
    CONSTRAINT ck_messages_touchpoint_has_occasion CHECK ((kind = 'touchpoint') = (touchpoint_id IS NOT NULL AND occasion IS NOT NULL)),
    CONSTRAINT ck_messages_pages_go_to_clinicians CHECK ((kind IN ('page', 'note')) = (contact_id IS NULL)),
    CONSTRAINT ck_messages_has_one_reader CHECK ((contact_id IS NULL) = (clinician_id IS NOT NULL)),
    CONSTRAINT ck_messages_sending_has_a_lease CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
    CONSTRAINT ck_messages_attempt_has_its_body CHECK (state NOT IN ('sending', 'unknown') OR (attempt_id IS NOT NULL AND body IS NOT NULL)),
    CONSTRAINT ck_messages_accepted_has_sid CHECK (state NOT IN ('accepted', 'sent', 'delivered') OR sid IS NOT NULL),
    CONSTRAINT ck_messages_end_has_reason CHECK (state NOT IN ('failed', 'undelivered', 'expired', 'cancelled', 'suppressed') OR reason IS NOT NULL),
    CONSTRAINT ck_messages_end_has_its_time CHECK ((state IN ('delivered', 'undelivered', 'failed', 'expired', 'cancelled', 'suppressed')) = (ended_at IS NOT NULL))
);
CREATE INDEX ix_messages_alert ON messages (agency_id, alert_id) WHERE alert_id IS NOT NULL;
CREATE INDEX ix_messages_contact ON messages (agency_id, contact_id, claimed_at);
CREATE INDEX ix_messages_due ON messages (priority, due_at) WHERE state = 'planned';
CREATE INDEX ix_messages_lease ON messages (lease_until) WHERE state = 'sending';
CREATE INDEX ix_messages_open_ends ON messages (accepted_at) WHERE state IN ('accepted', 'sent', 'unknown');
CREATE INDEX ix_messages_patient ON messages (agency_id, patient_id, send_at);
CREATE UNIQUE INDEX uq_messages_alert_step ON messages (agency_id, alert_id, alert_round, alert_step, clinician_id) WHERE kind = 'page';
CREATE UNIQUE INDEX uq_messages_id ON messages (id);
CREATE UNIQUE INDEX uq_messages_occasion ON messages (agency_id, touchpoint_id, contact_id, occasion) WHERE state <> 'cancelled';
CREATE UNIQUE INDEX uq_messages_reply_id ON messages (agency_id, reply_id, template) WHERE reply_id IS NOT NULL;
CREATE UNIQUE INDEX uq_messages_sid ON messages (sid) WHERE sid IS NOT NULL;
CREATE TABLE receipts (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    message_id BIGINT NOT NULL,
    sid TEXT NOT NULL,
    status TEXT NOT NULL,
    error_code INTEGER,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_receipts PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_receipts_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_receipts_agency_id_message_id FOREIGN KEY(agency_id, message_id) REFERENCES messages (agency_id, id),
    CONSTRAINT uq_receipts_agency_id_message_id_sid_status UNIQUE (agency_id, message_id, sid, status)
);

SELECT engage_guard('touchpoints', false);
SELECT engage_guard('templates', false);
SELECT engage_guard('messages', false);
SELECT engage_guard('receipts', true);
"""

DOWN = """
DROP TABLE receipts;
DROP TABLE messages;
DROP TABLE templates;
DROP TABLE touchpoints;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
