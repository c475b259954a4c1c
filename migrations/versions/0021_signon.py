"""Single sign-on: each agency's provider, and who of its people is whom there; when somebody last proved again that it is them; an
alert for each patient who is opened outside of somebody's branches."""

from alembic import op

revision = "0021_signon"
down_revision = "0020_programmes"
branch_labels = None
depends_on = None

_BEFORE = (
    "'urgent', 'low_score', 'symptom', 'callback', 'reschedule', 'cancel_visit', 'question', 'complaint', 'low_survey', "
    "'opt_out', 'wrong_number', 'death', 'hospital', 'unreadable', 'undeliverable', 'drop', 'silence', 'nurse_unreachable', "
    "'rota_gap'"
)

UP = f"""
CREATE TABLE sign_ons (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    client_secret BYTEA NOT NULL,
    email_domain TEXT,
    set_by TEXT NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sign_ons PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_sign_ons_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT uq_sign_ons_agency_id UNIQUE (agency_id),
    CONSTRAINT ck_sign_ons_domain_is_lower CHECK (email_domain = lower(email_domain))
);
CREATE TABLE account_identities (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    account_id BIGINT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_account_identities PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_account_identities_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_account_identities_agency_id_account_id FOREIGN KEY(agency_id, account_id) REFERENCES accounts (agency_id, id),
    CONSTRAINT uq_account_identities_agency_id_issuer_subject UNIQUE (agency_id, issuer, subject),
    CONSTRAINT uq_account_identities_agency_id_account_id_issuer UNIQUE (agency_id, account_id, issuer)
);
SELECT engage_guard('sign_ons', false);
SELECT engage_guard('account_identities', false);
ALTER TABLE console_sessions ADD COLUMN confirmed_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE alerts DROP CONSTRAINT ck_alerts_kind_is_known,
    ADD CONSTRAINT ck_alerts_kind_is_known CHECK (kind IN ({_BEFORE}, 'patient_opened'));
ALTER TABLE alert_rules DROP CONSTRAINT ck_alert_rules_kind_is_known,
    ADD CONSTRAINT ck_alert_rules_kind_is_known CHECK (kind IN ({_BEFORE}, 'patient_opened'));
"""

# What founding gives to new agencies. Rows are only seen from within the role that may see all of them.
FILL = """
SET LOCAL ROLE engage_system;
INSERT INTO alert_rules (agency_id, kind, severity, ladder_id, acknowledged_minutes)
SELECT agency_id, 'patient_opened', 1, ladder_id, 1440 FROM alert_rules WHERE kind = 'complaint'
ON CONFLICT (agency_id, kind) DO NOTHING;
RESET ROLE;
"""

# The older release has no word for it: what is open stays open, under the nearest word.
FORGET = """
SET LOCAL ROLE engage_system;
UPDATE alerts SET kind = 'unreadable' WHERE kind = 'patient_opened';
DELETE FROM alert_rules WHERE kind = 'patient_opened';
RESET ROLE;
"""

DOWN = f"""
ALTER TABLE alert_rules DROP CONSTRAINT ck_alert_rules_kind_is_known,
    ADD CONSTRAINT ck_alert_rules_kind_is_known CHECK (kind IN ({_BEFORE}));
ALTER TABLE alerts DROP CONSTRAINT ck_alerts_kind_is_known, ADD CONSTRAINT ck_alerts_kind_is_known CHECK (kind IN ({_BEFORE}));
ALTER TABLE console_sessions DROP COLUMN confirmed_at;
DROP TABLE account_identities;
DROP TABLE sign_ons;
"""


def upgrade() -> None:
    op.execute(UP)
    op.execute(FILL)


def downgrade() -> None:
    op.execute(FORGET)
    op.execute(DOWN)
