"""The console: passwords and second factors of accounts, their sessions, one-time links, devices; the chain of the audit."""

from alembic import op

revision = "0019_console"
down_revision = "0018_wording"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE accounts
    ADD COLUMN language TEXT DEFAULT 'en' NOT NULL,
    ADD COLUMN password_hash TEXT,
    ADD COLUMN password_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN totp_secret BYTEA,
    ADD COLUMN totp_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN totp_step BIGINT,
    ADD CONSTRAINT ck_accounts_language_is_known CHECK (language IN ('en', 'es')),
    ADD CONSTRAINT ck_accounts_second_factor_has_a_secret CHECK (totp_at IS NULL OR totp_secret IS NOT NULL);
CREATE TABLE account_branches (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    account_id BIGINT NOT NULL,
    branch_id BIGINT NOT NULL,
    CONSTRAINT pk_account_branches PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_account_branches_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_account_branches_agency_id_account_id FOREIGN KEY(agency_id, account_id) REFERENCES accounts (agency_id, id),
    CONSTRAINT fk_account_branches_agency_id_branch_id FOREIGN KEY(agency_id, branch_id) REFERENCES branches (agency_id, id),
    CONSTRAINT uq_account_branches_agency_id_account_id_branch_id UNIQUE (agency_id, account_id, branch_id)
);
CREATE TABLE account_links (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    account_id BIGINT NOT NULL,
    token_hash BYTEA NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    made_by TEXT NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_account_links PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_account_links_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_account_links_agency_id_account_id FOREIGN KEY(agency_id, account_id) REFERENCES accounts (agency_id, id),
    CONSTRAINT uq_account_links_token_hash UNIQUE (token_hash)
);
CREATE TABLE recovery_codes (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    account_id BIGINT NOT NULL,
    code_hash BYTEA NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_recovery_codes PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_recovery_codes_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_recovery_codes_agency_id_account_id FOREIGN KEY(agency_id, account_id) REFERENCES accounts (agency_id, id),
    CONSTRAINT uq_recovery_codes_agency_id_account_id_code_hash UNIQUE (agency_id, account_id, code_hash)
);
CREATE TABLE known_devices (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    account_id BIGINT NOT NULL,
    token_hash BYTEA NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_known_devices PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_known_devices_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_known_devices_agency_id_account_id FOREIGN KEY(agency_id, account_id) REFERENCES accounts (agency_id, id),
    CONSTRAINT uq_known_devices_token_hash UNIQUE (token_hash)
);
CREATE TABLE passkeys (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    account_id BIGINT NOT NULL,
    credential_id BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    uses BIGINT NOT NULL,
    name TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_passkeys PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_passkeys_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_passkeys_agency_id_account_id FOREIGN KEY(agency_id, account_id) REFERENCES accounts (agency_id, id),
    CONSTRAINT uq_passkeys_agency_id_credential_id UNIQUE (agency_id, credential_id)
);
CREATE TABLE console_sessions (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    account_id BIGINT NOT NULL,
    token_hash BYTEA NOT NULL,
    begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    second_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    CONSTRAINT pk_console_sessions PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_console_sessions_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_console_sessions_agency_id_account_id FOREIGN KEY(agency_id, account_id) REFERENCES accounts (agency_id, id),
    CONSTRAINT uq_console_sessions_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_console_sessions_open ON console_sessions (agency_id, account_id) WHERE ended_at IS NULL;
CREATE TABLE patient_openings (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    account_id BIGINT NOT NULL,
    patient_id BIGINT NOT NULL,
    reason BYTEA NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_patient_openings PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_patient_openings_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_patient_openings_agency_id_account_id FOREIGN KEY(agency_id, account_id) REFERENCES accounts (agency_id, id),
    CONSTRAINT fk_patient_openings_agency_id_patient_id FOREIGN KEY(agency_id, patient_id) REFERENCES patients (agency_id, id)
);
CREATE INDEX ix_patient_openings_agency_id_account_id_ends_at ON patient_openings (agency_id, account_id, ends_at);
CREATE TABLE sign_in_delays (
    key BYTEA NOT NULL,
    failures INTEGER NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sign_in_delays PRIMARY KEY (key)
);
CREATE INDEX ix_sign_in_delays_last_at ON sign_in_delays (last_at);
CREATE TABLE audit_chain (
    agency_id BIGINT NOT NULL,
    place BIGINT NOT NULL,
    event_id BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT pk_audit_chain PRIMARY KEY (agency_id, place),
    CONSTRAINT fk_audit_chain_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_audit_chain_agency_id_event_id FOREIGN KEY(agency_id, event_id) REFERENCES audit_events (agency_id, id),
    CONSTRAINT uq_audit_chain_agency_id_event_id UNIQUE (agency_id, event_id)
);

SELECT engage_guard('account_branches', false);
SELECT engage_guard('account_links', false);
SELECT engage_guard('recovery_codes', false);
SELECT engage_guard('known_devices', false);
SELECT engage_guard('passkeys', false);
SELECT engage_guard('console_sessions', false);
SELECT engage_guard('patient_openings', true);
GRANT UPDATE (reason) ON patient_openings TO engage_system; -- under another key, when keys are rotated
SELECT engage_guard('audit_chain', true);
SELECT engage_guard_system('sign_in_delays');
"""

# Each link of the chain is a hash over the one before it and the event. It is made when the transaction ends: only then does
# the agency's chain stand still for the others, so that a long import keeps nobody from reading a patient's page. No writer can
# forget it, nor can an older release. engage.reports.chain computes the same by itself.
CHAIN = """
CREATE FUNCTION engage_audit_hash(before bytea, event audit_events) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(before || convert_to(jsonb_build_array(event.agency_id, event.id,
        (extract(epoch FROM event.at) * 1000000)::bigint, event.actor, event.action, event.subject, event.subject_id,
        event.detail)::text, 'UTF8'))
$$;
CREATE FUNCTION engage_chain_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last audit_chain;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('engage audit chain', NEW.agency_id));
    SELECT * INTO last FROM audit_chain WHERE agency_id = NEW.agency_id ORDER BY place DESC LIMIT 1;
    INSERT INTO audit_chain (agency_id, place, event_id, hash)
    VALUES (NEW.agency_id, coalesce(last.place, 0) + 1, NEW.id, engage_audit_hash(coalesce(last.hash, ''), NEW));
    RETURN NULL;
END $$;
LOCK TABLE audit_events IN SHARE ROW EXCLUSIVE MODE;
SET LOCAL ROLE engage_system;
DO $$
DECLARE
    event audit_events;
    agency bigint := 0;
    count bigint;
    before bytea;
BEGIN
    FOR event IN SELECT * FROM audit_events ORDER BY agency_id, id LOOP
        IF event.agency_id <> agency THEN
            agency := event.agency_id; count := 0; before := '';
        END IF;
        count := count + 1;
        before := engage_audit_hash(before, event);
        INSERT INTO audit_chain (agency_id, place, event_id, hash) VALUES (agency, count, event.id, before);
    END LOOP;
END $$;
RESET ROLE;
CREATE CONSTRAINT TRIGGER chain AFTER INSERT ON audit_events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION engage_chain_audit();
"""

DOWN = """
DROP TRIGGER chain ON audit_events;
DROP FUNCTION engage_chain_audit();
DROP FUNCTION engage_audit_hash(bytea, audit_events);
DROP TABLE audit_chain;
DROP TABLE sign_in_delays;
DROP TABLE patient_openings;
DROP TABLE console_sessions;
DROP TABLE passkeys;
DROP TABLE known_devices;
DROP TABLE recovery_codes;
DROP TABLE account_links;
DROP TABLE account_branches;
ALTER TABLE accounts
    DROP CONSTRAINT ck_accounts_second_factor_has_a_secret, DROP CONSTRAINT ck_accounts_language_is_known,
    DROP COLUMN totp_step, DROP COLUMN totp_at, DROP COLUMN totp_secret, DROP COLUMN password_at,
    DROP COLUMN password_hash, DROP COLUMN language;
"""


def upgrade() -> None:
    op.execute(UP)
    op.execute(CHAIN)


def downgrade() -> None:
    op.execute(DOWN)
