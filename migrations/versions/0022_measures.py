"""Indexes of the messages page and the dashboard: texts by day, check-ins with their patients, scores by day."""

from alembic import op

revision = "0022_measures"
down_revision = "0021_signon"
branch_labels = None
depends_on = None

# A range of pages of the outbox is the texts of some hours: a summary of each is as good as an index of the rows, and costs the
# dispatcher nothing, whose every step writes into every index of rows (decision 71).
UP = """
CREATE INDEX ix_messages_send_at ON messages USING brin (send_at) WITH (pages_per_range = 32, autosummarize = on);
DROP INDEX ix_messages_checkins;
CREATE INDEX ix_messages_checkins ON messages (claimed_at) INCLUDE (agency_id, patient_id, id)
    WHERE asks = 'score_1_5' AND kind = 'touchpoint' AND state = 'delivered';
CREATE INDEX ix_scores_given ON scores (agency_id, given_at) INCLUDE (message_id);
"""

DOWN = """
DROP INDEX ix_scores_given;
DROP INDEX ix_messages_checkins;
CREATE INDEX ix_messages_checkins ON messages (claimed_at)
    WHERE asks = 'score_1_5' AND kind = 'touchpoint' AND state = 'delivered';
DROP INDEX ix_messages_send_at;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
