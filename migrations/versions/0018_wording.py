"""When a wording was written and when it was retired; how many segments an agency allows."""

from alembic import op

revision = "0018_wording"
down_revision = "0017_auditing"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE templates
    ADD COLUMN written_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN retired_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE agencies
    ADD COLUMN most_segments SMALLINT DEFAULT '2' NOT NULL,
    ADD CONSTRAINT ck_agencies_segments_are_few CHECK (most_segments BETWEEN 1 AND 10);
"""

# What there is was written when the agency was founded; nobody noted it. Rows are only seen from within the role that may see all.
FILL = """
SET LOCAL ROLE engage_system;
UPDATE templates t SET written_at = a.created_at FROM agencies a WHERE a.id = t.agency_id AND t.written_at IS NULL;
RESET ROLE;
"""

# The older release sends whatever is reviewed: what was retired must not come back.
FORGET = """
SET LOCAL ROLE engage_system;
UPDATE templates SET reviewed_at = NULL, reviewed_by = NULL WHERE retired_at IS NOT NULL;
RESET ROLE;
"""

DOWN = """
ALTER TABLE agencies DROP CONSTRAINT ck_agencies_segments_are_few, DROP COLUMN most_segments;
ALTER TABLE templates DROP COLUMN retired_at, DROP COLUMN written_at;
"""


def upgrade() -> None:
    op.execute(UP)
    op.execute(FILL)


def downgrade() -> None:
    op.execute(FORGET)
    op.execute(DOWN)
