"""The auditor's last run, its repairs among the events of an alert, and an index for the alerts of the last days."""

from alembic import op

revision = "0017_auditing"
down_revision = "0016_paging"
branch_labels = None
depends_on = None

_BEFORE = (
    "'opened', 'evidence', 'paged', 'nobody', 'page_failed', 'acknowledged', 'reopened', 'resolved', 'exhausted', "
    "'passed_on', 'try_again', 'promised', 'promise_broken'"
)
_NEW = "'repaired'"

UP = f"""
CREATE TABLE auditing (
    id BIGINT DEFAULT '1' NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ran_at TIMESTAMP WITH TIME ZONE,
    failed_at TIMESTAMP WITH TIME ZONE,
    findings JSONB DEFAULT '{{}}' NOT NULL,
    repaired BIGINT DEFAULT '0' NOT NULL,
    ping_tried_at TIMESTAMP WITH TIME ZONE,
    pinged_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_auditing PRIMARY KEY (id),
    CONSTRAINT ck_auditing_is_one_row CHECK (id = 1)
);
SELECT engage_guard_system('auditing');
CREATE INDEX ix_alerts_opened ON alerts (opened_at);
ALTER TABLE alert_events DROP CONSTRAINT ck_alert_events_kind_is_known,
    ADD CONSTRAINT ck_alert_events_kind_is_known CHECK (kind IN ({_BEFORE}, {_NEW}));
"""

# The older release has no word for a repair: the nearest is another reason to look at the alert. Events can only be added, but
# not by the owner of the table, whom row security must let see them for once.
FORGET = """
ALTER TABLE alert_events NO FORCE ROW LEVEL SECURITY;
UPDATE alert_events SET kind = 'evidence' WHERE kind = 'repaired';
ALTER TABLE alert_events FORCE ROW LEVEL SECURITY;
"""

DOWN = f"""
ALTER TABLE alert_events DROP CONSTRAINT ck_alert_events_kind_is_known,
    ADD CONSTRAINT ck_alert_events_kind_is_known CHECK (kind IN ({_BEFORE}));
DROP INDEX ix_alerts_opened;
DROP TABLE auditing;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(FORGET)
    op.execute(DOWN)
