"""What happened to a message between planning and its end: holds, safe retries, lost answers. Kept for ever."""

from alembic import op

revision = "0008_message_events"
down_revision = "0007_workers"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE message_events (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    message_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    event TEXT NOT NULL,
    reason TEXT,
    until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_message_events PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_message_events_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_message_events_agency_id_message_id FOREIGN KEY(agency_id, message_id) REFERENCES messages (agency_id, id),
    CONSTRAINT ck_message_events_event_is_known CHECK (event IN ('held', 'handed_back', 'lost_contact', 'lapsed', 'found', 'never_left', 'tried_again'))
);
CREATE INDEX ix_message_events_agency_id_message_id ON message_events (agency_id, message_id);
SELECT engage_guard('message_events', true);
"""

DOWN = """
DROP TABLE message_events;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
