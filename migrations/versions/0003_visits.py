"""Visits and imports."""

from alembic import op

revision = "0003_visits"
down_revision = "0002_patients"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE visits (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id BIGINT NOT NULL,
    episode_id BIGINT,
    emr_id TEXT NOT NULL,
    task TEXT NOT NULL,
    discipline TEXT,
    starts_on DATE NOT NULL,
    starts_local TIME WITHOUT TIME ZONE,
    ends_local TIME WITHOUT TIME ZONE,
    status TEXT DEFAULT 'scheduled' NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
    answer TEXT,
    answered_at TIMESTAMP WITH TIME ZONE,
    wanted BYTEA,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_visits PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_visits_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_visits_agency_id_patient_id FOREIGN KEY(agency_id, patient_id) REFERENCES patients (agency_id, id),
    CONSTRAINT fk_visits_agency_id_episode_id FOREIGN KEY(agency_id, episode_id) REFERENCES episodes (agency_id, id),
    CONSTRAINT uq_visits_agency_id_emr_id UNIQUE (agency_id, emr_id),
    CONSTRAINT ck_visits_status_is_known CHECK (status IN ('scheduled', 'completed', 'missed', 'cancelled')),
    CONSTRAINT ck_visits_answer_is_known CHECK (answer IS NULL OR answer IN ('confirmed', 'wants_another_time', 'does_not_want_it')),
    CONSTRAINT ck_visits_answer_has_its_time CHECK ((answer IS NULL) = (answered_at IS NULL)),
    CONSTRAINT ck_visits_completion_has_its_time CHECK ((status = 'completed') = (completed_at IS NOT NULL))
);
CREATE INDEX ix_visits_agency_id_patient_id_starts_on ON visits (agency_id, patient_id, starts_on);
CREATE INDEX ix_visits_completed_at ON visits (completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX ix_visits_starts_on ON visits (starts_on) WHERE status = 'scheduled';
CREATE TABLE visit_clinicians (
    agency_id BIGINT NOT NULL,
    visit_id BIGINT NOT NULL,
    clinician_id BIGINT NOT NULL,
    CONSTRAINT pk_visit_clinicians PRIMARY KEY (agency_id, visit_id, clinician_id),
    CONSTRAINT fk_visit_clinicians_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_visit_clinicians_agency_id_visit_id FOREIGN KEY(agency_id, visit_id) REFERENCES visits (agency_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_visit_clinicians_agency_id_clinician_id FOREIGN KEY(agency_id, clinician_id) REFERENCES clinicians (agency_id, id)
);
CREATE TABLE import_runs (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    profile TEXT NOT NULL,
    kind TEXT NOT NULL,
    file_sha256 TEXT NOT NULL,
    is_complete BOOLEAN NOT NULL,
    ran_at TIMESTAMP WITH TIME ZONE NOT NULL,
    counts JSONB NOT NULL,
    CONSTRAINT pk_import_runs PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_import_runs_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id)
);

SELECT engage_guard('visits', false);
SELECT engage_guard('visit_clinicians', false);
SELECT engage_guard('import_runs', false);
"""

DOWN = """
DROP TABLE import_runs;
DROP TABLE visit_clinicians;
DROP TABLE visits;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
