"""What the planner has to look at again (a log that triggers write) and how far it has come; the spread; guards that plan well."""

from alembic import op

revision = "0009_planning"
down_revision = "0008_message_events"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE touchpoints ADD COLUMN spread_minutes SMALLINT DEFAULT '0' NOT NULL;
ALTER TABLE touchpoints ADD CONSTRAINT ck_touchpoints_spread_is_modest CHECK (spread_minutes BETWEEN 0 AND 180);
CREATE INDEX ix_patients_agency_id_time_zone ON patients (agency_id, time_zone) WHERE status = 'active';

CREATE TABLE changes (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id BIGINT,
    CONSTRAINT pk_changes PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_changes_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id)
);
SELECT engage_guard('changes', true);
GRANT DELETE ON changes TO engage_system;

CREATE TABLE planning (
    id BIGINT DEFAULT '1' NOT NULL,
    planned_until TIMESTAMP WITH TIME ZONE,
    whole_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_planning PRIMARY KEY (id),
    CONSTRAINT ck_planning_is_one_row CHECK (id = 1),
    CONSTRAINT ck_planning_has_both_or_neither CHECK ((planned_until IS NULL) = (whole_at IS NULL))
);
SELECT engage_guard_system('planning');
"""

# PostgreSQL guesses that one row in 200 passes "current_user = 'engage_system'", in every table of a statement, and then joins
# millions of rows as if they were a handful. It guesses that nearly all pass an IS NOT NULL; the meaning is the same.
GUARD = """
CREATE OR REPLACE FUNCTION engage_guard(guarded regclass, append_only boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    key_column text := CASE WHEN guarded = 'agencies'::regclass THEN 'id' ELSE 'agency_id' END;
    rights text := CASE WHEN append_only THEN 'SELECT, INSERT' ELSE 'SELECT, INSERT, UPDATE, DELETE' END;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY agency ON %s TO engage_agency USING (%I = engage_agency_id() AND {agency})', guarded, key_column);
    EXECUTE format('CREATE POLICY system ON %s TO engage_system USING ({system})', guarded);
    EXECUTE format('GRANT %s ON %s TO engage_agency, engage_system', rights, guarded);
END $$;

CREATE OR REPLACE FUNCTION engage_guard_system(guarded regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY system ON %s TO engage_system USING ({system})', guarded);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO engage_system', guarded);
END $$;

DO $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' AND policyname IN ('agency', 'system') LOOP
        IF found.policyname = 'system' THEN
            EXECUTE format('ALTER POLICY system ON %I USING ({system})', found.tablename);
        ELSE
            EXECUTE format('ALTER POLICY agency ON %I USING (%I = engage_agency_id() AND {agency})',
                           found.tablename, CASE found.tablename WHEN 'agencies' THEN 'id' ELSE 'agency_id' END);
        END IF;
    END LOOP;
END $$;
"""
ROLES = ("current_user = ''engage_agency''", "current_user = ''engage_system''")
WELL_GUESSED = tuple(f"CASE WHEN {role} THEN true END IS NOT NULL" for role in ROLES)

# The functions run as whoever writes, so row security binds them too. EXECUTE, because a function keeps the plan of its
# first run: one made for a single row would join a later import's 100,000 old and new rows in a nested loop, and one made
# for an import would read the whole table for a single row.
# A new patient or contact changes nothing before its first consent, so those two tables log updates only.
FUNCTIONS = """
CREATE FUNCTION engage_log_patients() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'INSERT INTO changes (agency_id, patient_id)
        SELECT n.agency_id, n.id FROM new_rows n JOIN old_rows o ON o.agency_id = n.agency_id AND o.id = n.id
        WHERE (n.status, n.time_zone, n.is_monitored) IS DISTINCT FROM (o.status, o.time_zone, o.is_monitored)';
    RETURN NULL;
END $$;

-- Whoever shares the number that a contact gives up is concerned as well: its leader may be gone.
CREATE FUNCTION engage_log_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'INSERT INTO changes (agency_id, patient_id)
        WITH changed AS (
            SELECT n.agency_id, n.patient_id, o.patient_id AS old_patient_id, o.phone_hash, n.phone_hash <> o.phone_hash AS has_moved
            FROM new_rows n JOIN old_rows o ON o.agency_id = n.agency_id AND o.id = n.id
            WHERE (n.patient_id, n.relationship, n.phone_hash, n.phone_kind, n.ended_at IS NULL)
                IS DISTINCT FROM (o.patient_id, o.relationship, o.phone_hash, o.phone_kind, o.ended_at IS NULL))
        SELECT agency_id, patient_id FROM changed
        UNION SELECT agency_id, old_patient_id FROM changed
        UNION SELECT c.agency_id, c.patient_id FROM changed d
              JOIN contacts c ON d.has_moved AND c.agency_id = d.agency_id AND c.phone_hash = d.phone_hash';
    RETURN NULL;
END $$;

-- What a phone says (STOP, START) concerns everybody it is a contact of.
CREATE FUNCTION engage_log_consent_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'INSERT INTO changes (agency_id, patient_id)
        SELECT c.agency_id, c.patient_id FROM new_rows n
        JOIN contacts c ON n.contact_id IS NOT NULL AND c.agency_id = n.agency_id AND c.id = n.contact_id
        UNION SELECT c.agency_id, c.patient_id FROM new_rows n
        JOIN contacts c ON n.contact_id IS NULL AND c.agency_id = n.agency_id AND c.phone_hash = n.phone_hash';
    RETURN NULL;
END $$;

CREATE FUNCTION engage_log_episodes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        EXECUTE 'INSERT INTO changes (agency_id, patient_id)
            WITH changed AS (
                SELECT n.agency_id, n.patient_id, o.patient_id AS old_patient_id
                FROM new_rows n JOIN old_rows o ON o.agency_id = n.agency_id AND o.id = n.id
                WHERE (n.patient_id, n.starts_on, n.discharged_on) IS DISTINCT FROM (o.patient_id, o.starts_on, o.discharged_on))
            SELECT agency_id, patient_id FROM changed UNION SELECT agency_id, old_patient_id FROM changed';
    ELSE
        EXECUTE format('INSERT INTO changes (agency_id, patient_id) SELECT DISTINCT agency_id, patient_id FROM %I',
                       CASE TG_OP WHEN 'INSERT' THEN 'new_rows' ELSE 'old_rows' END);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION engage_log_visits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        EXECUTE 'INSERT INTO changes (agency_id, patient_id)
            WITH changed AS (
                SELECT n.agency_id, n.patient_id, o.patient_id AS old_patient_id
                FROM new_rows n JOIN old_rows o ON o.agency_id = n.agency_id AND o.id = n.id
                WHERE (n.patient_id, n.starts_on, n.starts_local, n.status, n.completed_at, n.answer IS NOT DISTINCT FROM ''does_not_want_it'')
                    IS DISTINCT FROM
                      (o.patient_id, o.starts_on, o.starts_local, o.status, o.completed_at, o.answer IS NOT DISTINCT FROM ''does_not_want_it''))
            SELECT agency_id, patient_id FROM changed UNION SELECT agency_id, old_patient_id FROM changed';
    ELSE
        EXECUTE format('INSERT INTO changes (agency_id, patient_id) SELECT DISTINCT agency_id, patient_id FROM %I',
                       CASE TG_OP WHEN 'INSERT' THEN 'new_rows' ELSE 'old_rows' END);
    END IF;
    RETURN NULL;
END $$;

-- A whole agency: no patient.
CREATE FUNCTION engage_log_touchpoints() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        EXECUTE 'INSERT INTO changes (agency_id)
            SELECT DISTINCT n.agency_id FROM new_rows n JOIN old_rows o ON o.agency_id = n.agency_id AND o.id = n.id
            WHERE n.* IS DISTINCT FROM o.*';
    ELSE
        EXECUTE format('INSERT INTO changes (agency_id) SELECT DISTINCT agency_id FROM %I',
                       CASE TG_OP WHEN 'INSERT' THEN 'new_rows' ELSE 'old_rows' END);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION engage_log_agencies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'INSERT INTO changes (agency_id)
        SELECT n.id FROM new_rows n JOIN old_rows o ON o.id = n.id
        WHERE (n.texts_after, n.texts_until, n.is_active) IS DISTINCT FROM (o.texts_after, o.texts_until, o.is_active)';
    RETURN NULL;
END $$;
"""

INSERT, UPDATE, DELETE = (
    "AFTER INSERT ON {0} REFERENCING NEW TABLE AS new_rows",
    "AFTER UPDATE ON {0} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "AFTER DELETE ON {0} REFERENCING OLD TABLE AS old_rows",
)
TRIGGERS = {
    "patients": (UPDATE,),
    "contacts": (UPDATE,),
    "consent_events": (INSERT,),
    "episodes": (INSERT, UPDATE, DELETE),
    "visits": (INSERT, UPDATE, DELETE),
    "touchpoints": (INSERT, UPDATE, DELETE),
    "agencies": (UPDATE,),
}


def guard(agency: str, system: str) -> str:
    """The guard with its two conditions."""
    return GUARD.replace("{agency}", agency).replace("{system}", system)


def upgrade() -> None:
    op.execute(guard(*WELL_GUESSED))
    op.execute(UP)
    op.execute(FUNCTIONS)
    for table, events in TRIGGERS.items():
        for event in events:
            name = f"log_{event.split()[1].lower()}"
            op.execute(
                f"CREATE TRIGGER {name} {event.format(table)} FOR EACH STATEMENT EXECUTE FUNCTION engage_log_{table}()"
            )


def downgrade() -> None:
    for table in TRIGGERS:
        op.execute(f"DROP FUNCTION engage_log_{table}() CASCADE")  # and its triggers
    op.execute("DROP TABLE planning; DROP TABLE changes; DROP INDEX ix_patients_agency_id_time_zone")
    op.execute("ALTER TABLE touchpoints DROP COLUMN spread_minutes")
    op.execute(guard(*ROLES))
