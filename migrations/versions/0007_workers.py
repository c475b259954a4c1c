"""The installation, the ticks of its workers, unrouted texts."""

from alembic import op

revision = "0007_workers"
down_revision = "0006_alerts"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE installation (
    id BIGINT DEFAULT '1' NOT NULL,
    lookup_fingerprint BYTEA NOT NULL,
    CONSTRAINT pk_installation PRIMARY KEY (id),
    CONSTRAINT ck_installation_is_one_row CHECK (id = 1)
);
CREATE TABLE ticks (
    worker TEXT NOT NULL,
    verb TEXT NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
    failed BOOLEAN DEFAULT 'false' NOT NULL,
    CONSTRAINT pk_ticks PRIMARY KEY (worker, verb)
);
CREATE TABLE unrouted_replies (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    sid TEXT NOT NULL,
    sent_to TEXT NOT NULL,
    phone BYTEA NOT NULL,
    body BYTEA NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_unrouted_replies PRIMARY KEY (id),
    CONSTRAINT uq_unrouted_replies_sid UNIQUE (sid)
);

SELECT engage_guard_system('installation');
SELECT engage_guard_system('ticks');
SELECT engage_guard_system('unrouted_replies');
"""

DOWN = """
DROP TABLE unrouted_replies;
DROP TABLE ticks;
DROP TABLE installation;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
