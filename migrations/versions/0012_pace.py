"""How fast a sender may send: segments a second and a day, by kind of number and registration. Null: no limit of ours."""

from alembic import op

revision = "0012_pace"
down_revision = "0008_message_events"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE senders ADD COLUMN segments_per_second NUMERIC(8, 3), ADD COLUMN segments_per_day INTEGER,
    ADD CONSTRAINT ck_senders_pace_is_positive CHECK (segments_per_second > 0 AND segments_per_day > 0);
"""

DOWN = """
ALTER TABLE senders DROP COLUMN segments_per_second, DROP COLUMN segments_per_day;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
