"""The pace of our numbers, stops of all sending, and lanes by agency so that nobody waits behind another's thousands."""

from alembic import op

revision = "0012_pace"
down_revision = "0011_second_tries"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE senders
    ADD COLUMN segments_per_second NUMERIC(8, 3),
    ADD COLUMN segments_per_day INTEGER,
    ADD COLUMN free_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN counted_on DATE,
    ADD COLUMN counted_segments INTEGER DEFAULT '0' NOT NULL,
    ADD CONSTRAINT ck_senders_pace_is_positive CHECK (segments_per_second > 0 AND segments_per_day > 0);
CREATE TABLE sending_stops (
    id BIGINT DEFAULT '1' NOT NULL,
    reason TEXT NOT NULL,
    http_status INTEGER,
    error_code INTEGER,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    tries SMALLINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_sending_stops PRIMARY KEY (id),
    CONSTRAINT ck_sending_stops_is_one_row CHECK (id = 1),
    CONSTRAINT ck_sending_stops_reason_is_known CHECK (reason IN ('refused', 'silent'))
);
SELECT engage_guard_system('sending_stops');
DROP INDEX ix_messages_due;
CREATE INDEX ix_messages_due ON messages (agency_id, priority, due_at) WHERE state = 'planned';
CREATE INDEX ix_messages_expiry ON messages (expires_at) WHERE state = 'planned';
"""

DOWN = """
DROP INDEX ix_messages_expiry;
DROP INDEX ix_messages_due;
CREATE INDEX ix_messages_due ON messages (priority, due_at) WHERE state = 'planned';
DROP TABLE sending_stops;
ALTER TABLE senders DROP CONSTRAINT ck_senders_pace_is_positive, DROP COLUMN counted_segments, DROP COLUMN counted_on, DROP COLUMN free_at,
    DROP COLUMN segments_per_day, DROP COLUMN segments_per_second;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
