"""Rotas with duties, changes and holidays; ladders by branch, with steps that keep their identity; the branch of an alert."""

from alembic import op

revision = "0015_rota"
down_revision = "0014_context"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE shifts ADD COLUMN duty TEXT DEFAULT 'on_call' NOT NULL,
    ADD CONSTRAINT ck_shifts_duty_is_known CHECK (duty IN ('on_call', 'visiting', 'fallback'));
CREATE TABLE shift_changes (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    branch_id BIGINT,
    kind TEXT NOT NULL,
    clinician_id BIGINT NOT NULL,
    instead_id BIGINT,
    starts_local TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    ends_local TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    CONSTRAINT pk_shift_changes PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_shift_changes_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_shift_changes_agency_id_branch_id FOREIGN KEY(agency_id, branch_id) REFERENCES branches (agency_id, id),
    CONSTRAINT fk_shift_changes_agency_id_clinician_id FOREIGN KEY(agency_id, clinician_id) REFERENCES clinicians (agency_id, id),
    CONSTRAINT fk_shift_changes_agency_id_instead_id FOREIGN KEY(agency_id, instead_id) REFERENCES clinicians (agency_id, id),
    CONSTRAINT ck_shift_changes_kind_is_known CHECK (kind IN ('add', 'remove', 'replace')),
    CONSTRAINT ck_shift_changes_replacement_is_named CHECK ((kind = 'replace') = (instead_id IS NOT NULL)),
    CONSTRAINT ck_shift_changes_ends_after_it_begins CHECK (starts_local < ends_local)
);
CREATE INDEX ix_shift_changes_agency_id_ends_local ON shift_changes (agency_id, ends_local);
CREATE TABLE holidays (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    branch_id BIGINT,
    day_on DATE NOT NULL,
    as_weekday SMALLINT DEFAULT '6' NOT NULL,
    CONSTRAINT pk_holidays PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_holidays_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_holidays_agency_id_branch_id FOREIGN KEY(agency_id, branch_id) REFERENCES branches (agency_id, id),
    CONSTRAINT ck_holidays_weekday_exists CHECK (as_weekday BETWEEN 0 AND 6),
    CONSTRAINT uq_holidays_agency_id_day_on_branch_id UNIQUE NULLS NOT DISTINCT (agency_id, day_on, branch_id)
);
SELECT engage_guard('shift_changes', false);
SELECT engage_guard('holidays', false);

ALTER TABLE ladders ADD COLUMN branch_id BIGINT,
    DROP CONSTRAINT uq_ladders_agency_id_key,
    ADD CONSTRAINT uq_ladders_agency_id_key_branch_id UNIQUE NULLS NOT DISTINCT (agency_id, key, branch_id),
    ADD CONSTRAINT fk_ladders_agency_id_branch_id FOREIGN KEY(agency_id, branch_id) REFERENCES branches (agency_id, id);
ALTER TABLE ladder_steps ADD COLUMN id BIGINT GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN channel TEXT DEFAULT 'any' NOT NULL,
    ADD COLUMN times SMALLINT DEFAULT '1' NOT NULL,
    ADD COLUMN discipline TEXT,
    ADD COLUMN clinician_id BIGINT,
    ADD COLUMN hours_after TIME WITHOUT TIME ZONE,
    ADD COLUMN hours_until TIME WITHOUT TIME ZONE,
    DROP CONSTRAINT ck_ladder_steps_who_is_known,
    ADD CONSTRAINT ck_ladder_steps_who_is_known CHECK (who IN ('nurse', 'on_call', 'scheduler', 'supervisor', 'person')),
    ADD CONSTRAINT ck_ladder_steps_channel_is_known CHECK (channel IN ('sms', 'voice', 'email', 'any')),
    ADD CONSTRAINT ck_ladder_steps_times_are_few CHECK (times BETWEEN 1 AND 10),
    ADD CONSTRAINT ck_ladder_steps_person_is_named CHECK ((who = 'person') = (clinician_id IS NOT NULL)),
    ADD CONSTRAINT ck_ladder_steps_discipline_is_of_on_call CHECK (discipline IS NULL OR who = 'on_call'),
    ADD CONSTRAINT ck_ladder_steps_hours_have_an_end
        CHECK ((hours_after IS NULL) = (hours_until IS NULL) AND (hours_after IS NULL OR hours_after <> hours_until)),
    ADD CONSTRAINT fk_ladder_steps_agency_id_clinician_id FOREIGN KEY(agency_id, clinician_id) REFERENCES clinicians (agency_id, id);

ALTER TABLE alerts ADD COLUMN branch_id BIGINT,
    ADD COLUMN first_round SMALLINT DEFAULT '1' NOT NULL,
    ADD COLUMN climbed BIGINT[] DEFAULT '{}' NOT NULL,
    ADD CONSTRAINT fk_alerts_agency_id_branch_id FOREIGN KEY(agency_id, branch_id) REFERENCES branches (agency_id, id);
"""

# What is open stands where it stood: the steps below it in its ladder are those that it has climbed.
FILL = """
SET LOCAL ROLE engage_system;
UPDATE alerts a SET
    branch_id = (SELECT p.branch_id FROM patients p WHERE p.agency_id = a.agency_id AND p.id = a.patient_id),
    climbed = COALESCE((SELECT array_agg(s.id ORDER BY s.position) FROM ladder_steps s
                        WHERE s.agency_id = a.agency_id AND s.ladder_id = a.ladder_id AND s.position <= a.step), '{}')
WHERE a.state <> 'resolved';
RESET ROLE;
"""

# The older release knows neither branches' ladders, named people nor duties; what is open goes on by the agency's ladder.
FORGET = """
SET LOCAL ROLE engage_system;
UPDATE alerts a SET ladder_id = g.id FROM ladders l JOIN ladders g ON g.agency_id = l.agency_id AND g.key = l.key AND g.branch_id IS NULL
WHERE l.agency_id = a.agency_id AND l.id = a.ladder_id AND l.branch_id IS NOT NULL;
DELETE FROM ladders WHERE branch_id IS NOT NULL;
UPDATE ladder_steps SET who = 'supervisor', clinician_id = NULL WHERE who = 'person';
DELETE FROM shifts WHERE duty <> 'on_call';
RESET ROLE;
"""

DOWN = """
ALTER TABLE alerts DROP COLUMN branch_id, DROP COLUMN first_round, DROP COLUMN climbed;
ALTER TABLE ladder_steps DROP COLUMN id, DROP COLUMN channel, DROP COLUMN times, DROP COLUMN discipline, DROP COLUMN clinician_id,
    DROP COLUMN hours_after, DROP COLUMN hours_until,
    DROP CONSTRAINT ck_ladder_steps_who_is_known,
    ADD CONSTRAINT ck_ladder_steps_who_is_known CHECK (who IN ('nurse', 'on_call', 'scheduler', 'supervisor'));
ALTER TABLE ladders DROP COLUMN branch_id, ADD CONSTRAINT uq_ladders_agency_id_key UNIQUE (agency_id, key);
DROP TABLE holidays;
DROP TABLE shift_changes;
ALTER TABLE shifts DROP COLUMN duty;
"""


def upgrade() -> None:
    op.execute(UP)
    op.execute(FILL)


def downgrade() -> None:
    op.execute(FORGET)
    op.execute(DOWN)
