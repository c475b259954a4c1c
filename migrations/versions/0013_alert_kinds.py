"""Alerts for what nobody wrote: a drop in the scores, a silence, a nurse nobody reaches, a gap in the rota."""

from alembic import op

revision = "0013_alert_kinds"
down_revision = "0012_pace"
branch_labels = None
depends_on = None

_BEFORE = (
    "'urgent', 'low_score', 'symptom', 'callback', 'reschedule', 'cancel_visit', 'question', 'complaint', 'low_survey', "
    "'opt_out', 'wrong_number', 'death', 'hospital', 'unreadable', 'undeliverable'"
)
_NEW = "'drop', 'silence', 'nurse_unreachable', 'rota_gap'"

UP = f"""
ALTER TABLE alerts DROP CONSTRAINT ck_alerts_kind_is_known,
    ADD CONSTRAINT ck_alerts_kind_is_known CHECK (kind IN ({_BEFORE}, {_NEW}));
ALTER TABLE alert_rules DROP CONSTRAINT ck_alert_rules_kind_is_known,
    ADD CONSTRAINT ck_alert_rules_kind_is_known CHECK (kind IN ({_BEFORE}, {_NEW}));
"""

# What founding gives to new agencies. Rows are only seen from within the role that may see all of them.
FILL = """
SET LOCAL ROLE engage_system;
INSERT INTO alert_rules (agency_id, kind, severity, ladder_id, acknowledged_minutes)
SELECT r.agency_id, n.kind, n.severity, r.ladder_id, n.minutes
FROM (VALUES ('drop', 'low_score', 2, 240), ('silence', 'low_score', 2, 240),
             ('nurse_unreachable', 'complaint', 2, 480), ('rota_gap', 'complaint', 2, 480)) AS n(kind, like_kind, severity, minutes)
JOIN alert_rules r ON r.kind = n.like_kind
ON CONFLICT (agency_id, kind) DO NOTHING;
RESET ROLE;
"""

# The older release has no word for them: what is open stays open, under the nearest word.
FORGET = """
SET LOCAL ROLE engage_system;
UPDATE alerts SET kind = 'symptom' WHERE kind IN ('drop', 'silence');
UPDATE alerts SET kind = 'unreadable' WHERE kind IN ('nurse_unreachable', 'rota_gap');
DELETE FROM alert_rules WHERE kind IN ('drop', 'silence', 'nurse_unreachable', 'rota_gap');
RESET ROLE;
"""

DOWN = f"""
ALTER TABLE alert_rules DROP CONSTRAINT ck_alert_rules_kind_is_known,
    ADD CONSTRAINT ck_alert_rules_kind_is_known CHECK (kind IN ({_BEFORE}));
ALTER TABLE alerts DROP CONSTRAINT ck_alerts_kind_is_known, ADD CONSTRAINT ck_alerts_kind_is_known CHECK (kind IN ({_BEFORE}));
"""


def upgrade() -> None:
    op.execute(UP)
    op.execute(FILL)


def downgrade() -> None:
    op.execute(FORGET)
    op.execute(DOWN)
