"""The agency and its people, and the guard of every table."""

from alembic import op

revision = "0001_agencies"
down_revision = None
branch_labels = None
depends_on = None

# Two roles stand behind the two doors (engage.db.session). Row security is forced, so that even the owner of the tables
# sees nothing except through them: it holds where nobody is superuser and no role may bypass row security. A member of a
# role falls under its policies at all times, so the policies also ask whether the role was really entered.
GUARD = """
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['engage_agency', 'engage_system'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', wanted);
        END IF;
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', wanted);
    END LOOP;
END $$;

CREATE FUNCTION engage_agency_id() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT NULLIF(current_setting('engage.agency_id', true), '')::bigint $$;

CREATE FUNCTION engage_guard(guarded regclass, append_only boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    key_column text := CASE WHEN guarded = 'agencies'::regclass THEN 'id' ELSE 'agency_id' END;
    rights text := CASE WHEN append_only THEN 'SELECT, INSERT' ELSE 'SELECT, INSERT, UPDATE, DELETE' END;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY agency ON %s TO engage_agency USING (%I = engage_agency_id() AND current_user = ''engage_agency'')',
                   guarded, key_column);
    EXECUTE format('CREATE POLICY system ON %s TO engage_system USING (current_user = ''engage_system'')', guarded);
    EXECUTE format('GRANT %s ON %s TO engage_agency, engage_system', rights, guarded);
END $$;

CREATE FUNCTION engage_guard_system(guarded regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY system ON %s TO engage_system USING (current_user = ''engage_system'')', guarded);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO engage_system', guarded);
END $$;
"""

UP = """
CREATE TABLE agencies (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    short_name TEXT NOT NULL,
    line TEXT DEFAULT 'home_health' NOT NULL,
    phone TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    texts_after TIME WITHOUT TIME ZONE DEFAULT '08:00' NOT NULL,
    texts_until TIME WITHOUT TIME ZONE DEFAULT '21:00' NOT NULL,
    daily_cap SMALLINT DEFAULT '5' NOT NULL,
    weekly_cap SMALLINT DEFAULT '30' NOT NULL,
    is_active BOOLEAN DEFAULT 'true' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_agencies PRIMARY KEY (id),
    CONSTRAINT ck_agencies_slug_is_short CHECK (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
    CONSTRAINT ck_agencies_window_is_open CHECK (texts_after < texts_until),
    CONSTRAINT ck_agencies_caps_are_sane CHECK (daily_cap BETWEEN 1 AND 20 AND weekly_cap BETWEEN 1 AND 140),
    CONSTRAINT ck_agencies_line_is_known CHECK (line IN ('home_health', 'hospice')),
    CONSTRAINT uq_agencies_slug UNIQUE (slug)
);
CREATE TABLE branches (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    emr_id TEXT NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    phone TEXT,
    CONSTRAINT pk_branches PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_branches_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT uq_branches_agency_id_emr_id UNIQUE (agency_id, emr_id)
);
CREATE TABLE senders (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    branch_id BIGINT,
    purpose TEXT NOT NULL,
    phone TEXT NOT NULL,
    messaging_service_sid TEXT,
    swept_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_senders PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_senders_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_senders_agency_id_branch_id FOREIGN KEY(agency_id, branch_id) REFERENCES branches (agency_id, id),
    CONSTRAINT ck_senders_purpose_is_known CHECK (purpose IN ('patients', 'pages')),
    CONSTRAINT uq_senders_phone UNIQUE (phone)
);
CREATE UNIQUE INDEX ix_senders_messaging_service_sid ON senders (messaging_service_sid);
CREATE TABLE clinicians (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    branch_id BIGINT,
    emr_id TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    discipline TEXT,
    role TEXT NOT NULL,
    phone BYTEA,
    phone_hash BYTEA,
    texts_stopped_at TIMESTAMP WITH TIME ZONE,
    left_on DATE,
    CONSTRAINT pk_clinicians PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_clinicians_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_clinicians_agency_id_branch_id FOREIGN KEY(agency_id, branch_id) REFERENCES branches (agency_id, id),
    CONSTRAINT uq_clinicians_agency_id_emr_id UNIQUE (agency_id, emr_id),
    CONSTRAINT ck_clinicians_role_is_known CHECK (role IN ('nurse', 'therapist', 'aide', 'scheduler', 'supervisor')),
    CONSTRAINT ck_clinicians_phone_has_its_hash CHECK ((phone IS NULL) = (phone_hash IS NULL))
);
CREATE INDEX ix_clinicians_agency_id_phone_hash ON clinicians (agency_id, phone_hash);
CREATE TABLE shifts (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    branch_id BIGINT,
    clinician_id BIGINT NOT NULL,
    weekdays SMALLINT[] NOT NULL,
    starts TIME WITHOUT TIME ZONE NOT NULL,
    ends TIME WITHOUT TIME ZONE NOT NULL,
    first_on DATE,
    last_on DATE,
    CONSTRAINT pk_shifts PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_shifts_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_shifts_agency_id_branch_id FOREIGN KEY(agency_id, branch_id) REFERENCES branches (agency_id, id),
    CONSTRAINT fk_shifts_agency_id_clinician_id FOREIGN KEY(agency_id, clinician_id) REFERENCES clinicians (agency_id, id),
    CONSTRAINT ck_shifts_weekdays_exist CHECK (weekdays <@ ARRAY[0,1,2,3,4,5,6]::smallint[] AND cardinality(weekdays) > 0),
    CONSTRAINT ck_shifts_ends_after_it_begins CHECK (first_on IS NULL OR last_on IS NULL OR first_on <= last_on)
);
CREATE TABLE accounts (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    clinician_id BIGINT,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_accounts PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_accounts_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_accounts_agency_id_clinician_id FOREIGN KEY(agency_id, clinician_id) REFERENCES clinicians (agency_id, id),
    CONSTRAINT uq_accounts_agency_id_email UNIQUE (agency_id, email),
    CONSTRAINT ck_accounts_email_is_lower_case CHECK (email = lower(email) AND position('@' in email) > 1),
    CONSTRAINT ck_accounts_role_is_known CHECK (role IN ('nurse', 'scheduler', 'manager', 'auditor', 'administrator'))
);
CREATE TABLE audit_events (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_id BIGINT,
    detail JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_audit_events PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_audit_events_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id)
);
CREATE INDEX ix_audit_events_agency_id_subject_subject_id ON audit_events (agency_id, subject, subject_id);

SELECT engage_guard('agencies', false);
SELECT engage_guard('branches', false);
SELECT engage_guard('senders', false);
SELECT engage_guard('clinicians', false);
SELECT engage_guard('shifts', false);
SELECT engage_guard('accounts', false);
SELECT engage_guard('audit_events', true);
"""

DOWN = """
DROP TABLE audit_events;
DROP TABLE accounts;
DROP TABLE shifts;
DROP TABLE clinicians;
DROP TABLE senders;
DROP TABLE branches;
DROP TABLE agencies;
DROP FUNCTION engage_guard(regclass, boolean);
DROP FUNCTION engage_guard_system(regclass);
DROP FUNCTION engage_agency_id();
"""


def upgrade() -> None:
    op.execute(GUARD)
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
