"""Patients' own hours, the strict healthcare exemption, time zones that PostgreSQL knows, notes counted by clinician."""

from alembic import op

revision = "0010_permission"
down_revision = "0009_planning"
branch_labels = None
depends_on = None

# One zone that PostgreSQL does not know stops the planner for every agency. A row that has one stops this upgrade, with the
# zone's name: correct the row and run it again.
UP = """
ALTER TABLE agencies ADD COLUMN healthcare_exemption BOOLEAN DEFAULT 'false' NOT NULL;
ALTER TABLE patients ADD COLUMN texts_after TIME WITHOUT TIME ZONE, ADD COLUMN texts_until TIME WITHOUT TIME ZONE;
ALTER TABLE patients ADD CONSTRAINT ck_patients_own_hours_are_open
    CHECK ((texts_after IS NULL) = (texts_until IS NULL) AND (texts_after IS NULL OR texts_after < texts_until));
ALTER TABLE agencies ADD CONSTRAINT ck_agencies_zone_is_known CHECK (timezone(time_zone, TIMESTAMP '2000-01-01') IS NOT NULL);
ALTER TABLE branches ADD CONSTRAINT ck_branches_zone_is_known CHECK (timezone(time_zone, TIMESTAMP '2000-01-01') IS NOT NULL);
ALTER TABLE patients ADD CONSTRAINT ck_patients_zone_is_known CHECK (timezone(time_zone, TIMESTAMP '2000-01-01') IS NOT NULL);
CREATE INDEX ix_messages_clinician ON messages (agency_id, clinician_id, claimed_at) WHERE clinician_id IS NOT NULL;
"""

DOWN = """
DROP INDEX ix_messages_clinician;
ALTER TABLE patients DROP CONSTRAINT ck_patients_zone_is_known;
ALTER TABLE branches DROP CONSTRAINT ck_branches_zone_is_known;
ALTER TABLE agencies DROP CONSTRAINT ck_agencies_zone_is_known;
ALTER TABLE patients DROP CONSTRAINT ck_patients_own_hours_are_open;
ALTER TABLE patients DROP COLUMN texts_until, DROP COLUMN texts_after;
ALTER TABLE agencies DROP COLUMN healthcare_exemption;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
