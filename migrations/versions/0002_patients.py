"""Patients, contacts, consent, episodes."""

from alembic import op

revision = "0002_patients"
down_revision = "0001_agencies"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE payers (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    emr_id TEXT NOT NULL,
    name TEXT NOT NULL,
    payer_class TEXT,
    CONSTRAINT pk_payers PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_payers_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT uq_payers_agency_id_emr_id UNIQUE (agency_id, emr_id)
);
CREATE TABLE referral_sources (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    emr_id TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT pk_referral_sources PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_referral_sources_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT uq_referral_sources_agency_id_emr_id UNIQUE (agency_id, emr_id)
);
CREATE TABLE patients (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    branch_id BIGINT NOT NULL,
    case_manager_id BIGINT,
    emr_id TEXT NOT NULL,
    mrn TEXT,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    born_on DATE,
    language TEXT DEFAULT 'en' NOT NULL,
    time_zone TEXT NOT NULL,
    state TEXT,
    zip_code TEXT,
    status TEXT DEFAULT 'active' NOT NULL,
    status_since TIMESTAMP WITH TIME ZONE NOT NULL,
    died_on DATE,
    is_monitored BOOLEAN DEFAULT 'true' NOT NULL,
    CONSTRAINT pk_patients PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_patients_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_patients_agency_id_branch_id FOREIGN KEY(agency_id, branch_id) REFERENCES branches (agency_id, id),
    CONSTRAINT fk_patients_agency_id_case_manager_id FOREIGN KEY(agency_id, case_manager_id) REFERENCES clinicians (agency_id, id),
    CONSTRAINT uq_patients_agency_id_emr_id UNIQUE (agency_id, emr_id),
    CONSTRAINT ck_patients_status_is_known CHECK (status IN ('active', 'on_hold', 'hospitalized', 'discharged', 'deceased')),
    CONSTRAINT ck_patients_death_has_its_date CHECK ((status = 'deceased') = (died_on IS NOT NULL))
);
CREATE TABLE contacts (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id BIGINT NOT NULL,
    relationship TEXT NOT NULL,
    name TEXT,
    phone BYTEA NOT NULL,
    phone_hash BYTEA NOT NULL,
    phone_kind TEXT DEFAULT 'unknown' NOT NULL,
    language TEXT,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_contacts PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_contacts_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_contacts_agency_id_patient_id FOREIGN KEY(agency_id, patient_id) REFERENCES patients (agency_id, id),
    CONSTRAINT uq_contacts_agency_id_patient_id_phone_hash UNIQUE (agency_id, patient_id, phone_hash),
    CONSTRAINT ck_contacts_relationship_is_known CHECK (relationship IN ('patient', 'family', 'emergency')),
    CONSTRAINT ck_contacts_phone_kind_is_known CHECK (phone_kind IN ('unknown', 'mobile', 'landline', 'unreachable', 'wrong_number'))
);
CREATE INDEX ix_contacts_agency_id_phone_hash ON contacts (agency_id, phone_hash);
CREATE TABLE consent_events (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    contact_id BIGINT,
    phone_hash BYTEA NOT NULL,
    category TEXT,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    proof BYTEA,
    reply_id BIGINT,
    said_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_consent_events PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_consent_events_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_consent_events_agency_id_contact_id FOREIGN KEY(agency_id, contact_id) REFERENCES contacts (agency_id, id),
    CONSTRAINT ck_consent_events_kind_is_known CHECK (kind IN ('granted', 'revoked', 'opted_out', 'opted_in')),
    CONSTRAINT ck_consent_events_category_is_known CHECK (category IS NULL OR category IN ('visits', 'checkins', 'surveys')),
    CONSTRAINT ck_consent_events_source_is_known CHECK (source IN ('emr', 'paper', 'phone', 'text', 'provider', 'staff')),
    CONSTRAINT ck_consent_events_says_whose_and_what CHECK ((kind IN ('granted', 'revoked')) = (contact_id IS NOT NULL AND category IS NOT NULL))
);
CREATE INDEX ix_consent_events_contact ON consent_events (agency_id, contact_id, category, said_at, id);
CREATE INDEX ix_consent_events_phone ON consent_events (agency_id, phone_hash, said_at, id) WHERE contact_id IS NULL;
CREATE UNIQUE INDEX uq_consent_events_reply ON consent_events (agency_id, reply_id) WHERE reply_id IS NOT NULL AND contact_id IS NULL;
CREATE TABLE episodes (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id BIGINT NOT NULL,
    payer_id BIGINT,
    referral_source_id BIGINT,
    emr_id TEXT NOT NULL,
    line TEXT DEFAULT 'home_health' NOT NULL,
    start_of_care_on DATE,
    starts_on DATE NOT NULL,
    ends_on DATE,
    discharged_on DATE,
    CONSTRAINT pk_episodes PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_episodes_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_episodes_agency_id_patient_id FOREIGN KEY(agency_id, patient_id) REFERENCES patients (agency_id, id),
    CONSTRAINT fk_episodes_agency_id_payer_id FOREIGN KEY(agency_id, payer_id) REFERENCES payers (agency_id, id),
    CONSTRAINT fk_episodes_agency_id_referral_source_id FOREIGN KEY(agency_id, referral_source_id) REFERENCES referral_sources (agency_id, id),
    CONSTRAINT uq_episodes_agency_id_emr_id UNIQUE (agency_id, emr_id),
    CONSTRAINT ck_episodes_line_is_known CHECK (line IN ('home_health', 'hospice')),
    CONSTRAINT ck_episodes_ends_after_it_begins CHECK (ends_on IS NULL OR ends_on >= starts_on)
);
CREATE INDEX ix_episodes_agency_id_patient_id ON episodes (agency_id, patient_id);
CREATE TABLE payment_periods (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    episode_id BIGINT NOT NULL,
    starts_on DATE NOT NULL,
    ends_on DATE NOT NULL,
    lupa_threshold SMALLINT,
    hipps TEXT,
    completed_visits SMALLINT,
    CONSTRAINT pk_payment_periods PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_payment_periods_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_payment_periods_agency_id_episode_id FOREIGN KEY(agency_id, episode_id) REFERENCES episodes (agency_id, id),
    CONSTRAINT uq_payment_periods_agency_id_episode_id_starts_on UNIQUE (agency_id, episode_id, starts_on),
    CONSTRAINT ck_payment_periods_ends_after_it_begins CHECK (ends_on >= starts_on),
    CONSTRAINT ck_payment_periods_threshold_is_sane CHECK (lupa_threshold BETWEEN 2 AND 9)
);

SELECT engage_guard('payers', false);
SELECT engage_guard('referral_sources', false);
SELECT engage_guard('patients', false);
SELECT engage_guard('contacts', false);
SELECT engage_guard('consent_events', true);
-- The one column that may change: a new key encrypts the proof again (engage.db.rotation); what was said stays.
GRANT UPDATE (proof) ON consent_events TO engage_system;
SELECT engage_guard('episodes', false);
SELECT engage_guard('payment_periods', false);
"""

DOWN = """
DROP TABLE payment_periods;
DROP TABLE episodes;
DROP TABLE consent_events;
DROP TABLE contacts;
DROP TABLE patients;
DROP TABLE referral_sources;
DROP TABLE payers;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
