"""Pages by voice and e-mail, many alerts in one page, several takers, another try at a time, promises to patients."""

from alembic import op

revision = "0016_paging"
down_revision = "0015_rota"
branch_labels = None
depends_on = None

_EVENTS = "'opened', 'evidence', 'paged', 'nobody', 'page_failed', 'acknowledged', 'reopened', 'resolved', 'exhausted'"
_NEW_EVENTS = "'passed_on', 'try_again', 'promised', 'promise_broken'"

UP = f"""
ALTER TABLE clinicians
    ADD COLUMN email BYTEA,
    ADD COLUMN page_channels TEXT[] DEFAULT '{{sms,voice,email}}' NOT NULL,
    ADD COLUMN quiet_from TIME,
    ADD COLUMN quiet_until TIME,
    ADD CONSTRAINT ck_clinicians_page_channels_are_known
        CHECK (page_channels <@ ARRAY['sms', 'voice', 'email'] AND cardinality(page_channels) > 0),
    ADD CONSTRAINT ck_clinicians_quiet_has_both_ends CHECK ((quiet_from IS NULL) = (quiet_until IS NULL));

ALTER TABLE messages
    ADD COLUMN bundle_id BIGINT,
    ADD CONSTRAINT fk_messages_agency_id_bundle_id FOREIGN KEY(agency_id, bundle_id) REFERENCES messages (agency_id, id),
    DROP CONSTRAINT ck_messages_channel_is_known,
    ADD CONSTRAINT ck_messages_channel_is_known CHECK (channel IN ('sms', 'voice', 'email')),
    DROP CONSTRAINT ck_messages_calls_are_reminders,
    ADD CONSTRAINT ck_messages_calls_are_reminders
        CHECK (channel = 'sms' OR kind IN ('page', 'note') OR (channel = 'voice' AND kind = 'touchpoint' AND asks = 'confirm'));
DROP INDEX uq_messages_alert_step;
CREATE UNIQUE INDEX uq_messages_alert_step ON messages (agency_id, alert_id, alert_round, alert_step, clinician_id, channel)
    WHERE kind = 'page' AND retry_of IS NULL;
CREATE INDEX ix_messages_bundle ON messages (agency_id, bundle_id) WHERE bundle_id IS NOT NULL;
CREATE INDEX ix_messages_mail ON messages (due_at) WHERE channel = 'email' AND state = 'planned';
CREATE INDEX ix_messages_pages_waiting ON messages (agency_id, clinician_id) WHERE kind = 'page' AND state = 'planned';

ALTER TABLE alerts
    ADD COLUMN minutes_spent SMALLINT,
    ADD COLUMN try_again_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN promised_until TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT ck_alerts_minutes_are_sane CHECK (minutes_spent BETWEEN 0 AND 1440);
CREATE INDEX ix_alerts_promised ON alerts (promised_until) WHERE promised_until IS NOT NULL AND state <> 'resolved';
ALTER TABLE alert_rules
    ADD COLUMN takers SMALLINT DEFAULT 1 NOT NULL,
    ADD COLUMN promise_minutes SMALLINT,
    ADD CONSTRAINT ck_alert_rules_takers_are_few CHECK (takers BETWEEN 1 AND 5),
    ADD CONSTRAINT ck_alert_rules_promise_is_sane CHECK (promise_minutes BETWEEN 5 AND 1440);
ALTER TABLE alert_events DROP CONSTRAINT ck_alert_events_kind_is_known,
    ADD CONSTRAINT ck_alert_events_kind_is_known CHECK (kind IN ({_EVENTS}, {_NEW_EVENTS}));
"""

# What founding gives to new agencies. Rows are only seen from within the role that may see all of them.
FILL = """
SET LOCAL ROLE engage_system;
INSERT INTO templates (agency_id, key, language, version, wording, written_by, reviewed_by, reviewed_at)
SELECT a.id, w.key, w.language, 1, w.wording, 'Engage', 'Engage founding team', '2026-11-22 00:00+00'
FROM agencies a CROSS JOIN (VALUES
    ('page-many', 'en', '{{ agency }} Engage: {{ count }} alerts{{ '', one or more NOW'' if severity == 3 else '''' }}: {{ codes }}. Reply a code to take one, or ALL to take all.'),
    ('note-taken-many', 'en', '{{ agency }} Engage: {{ codes }} are yours. Details are in Engage, or call the office {{ phone }}.'),
    ('note-taken-with', 'en', '{{ agency }} Engage: {{ code }} is yours too, thank you. It still needs {{ missing }} more.'),
    ('note-passed', 'en', '{{ agency }} Engage: {{ code }} goes to the next person now.'),
    ('note-done', 'en', '{{ agency }} Engage: {{ code }} is closed: {{ outcome }}. Thank you.'),
    ('note-done-how', 'en', '{{ agency }} Engage: what was done about {{ code }}? E.g. DONE {{ code }} called 12 (12 minutes), or DONE {{ code }} no answer.'),
    ('note-again', 'en', '{{ agency }} Engage: {{ code }} stays yours and comes back at {{ at }}. Another time? Reply e.g. {{ code }} at 3:30 pm'),
    ('note-try-again', 'en', '{{ agency }} Engage: you wanted to try {{ code }} again now. Reply {{ code }} to take it again.'),
    ('note-promise-broken', 'en', '{{ agency }} Engage: a patient was promised a call by now, and {{ code }} is not done. Reply {{ code }} to take it.'),
    ('call-page', 'en', 'This is {{ agency }}, with {{ ''an alert'' if count == 1 else count ~ '' alerts'' }}{{ '' that cannot wait'' if severity == 3 else '''' }}. The code is {{ spoken }}. Press 4 to take it. Press 5 to pass it on.'),
    ('call-page-taken', 'en', 'Thank you. {{ spoken }} is yours. The details are in Engage, or call the office. Goodbye.'),
    ('call-page-passed', 'en', 'Thank you. The next person is asked now. Goodbye.'),
    ('call-page-gone', 'en', 'Thank you. Somebody has taken it already. Goodbye.'),
    ('mail-page', 'en', E'{{ agency }} Engage: {{ ''a patient needs'' if count == 1 else count ~ '' patients need'' }} you{{ '' now'' if severity == 3 else '' within the hour'' if severity == 2 else '' today'' }} ({{ codes }})\\n\\nTake it or pass it on here:\\n{{ link }}\\n\\nOr text the code to the number that pages you. The link works for twelve hours and only takes the alert: it shows nothing about a patient.'),
    ('promise-call', 'en', '{{ agency }}: A nurse will call you by {{ at }}. If it is an emergency call 911. Our phone: {{ phone }}.'),
    ('promise-call', 'es', '{{ agency }}: Una enfermera le va a llamar antes de las {{ at }}. Si es una emergencia llame al 911. Tel: {{ phone }}.')
) AS w(key, language, wording)
ON CONFLICT (agency_id, key, language, version) DO NOTHING;
RESET ROLE;
"""

# The older release can only text: what waits for another channel, or in another's text, is not sent, and the ladder climbs.
FORGET = """
SET LOCAL ROLE engage_system;
UPDATE messages SET state = 'cancelled', reason = 'alert_taken', ended_at = due_at WHERE channel = 'email' AND state = 'planned';
UPDATE messages SET state = 'cancelled', reason = 'alert_taken', ended_at = due_at
    WHERE channel = 'voice' AND kind <> 'touchpoint' AND state = 'planned';
UPDATE messages SET alert_step = NULL WHERE kind = 'page' AND channel <> 'sms';
UPDATE messages SET channel = 'sms' WHERE channel = 'email' OR (channel = 'voice' AND kind <> 'touchpoint');
RESET ROLE;
"""

DOWN = f"""
ALTER TABLE alert_events DROP CONSTRAINT ck_alert_events_kind_is_known,
    ADD CONSTRAINT ck_alert_events_kind_is_known CHECK (kind IN ({_EVENTS})) NOT VALID; -- the story is append-only
ALTER TABLE alert_rules DROP COLUMN takers, DROP COLUMN promise_minutes;
DROP INDEX ix_alerts_promised;
ALTER TABLE alerts DROP COLUMN minutes_spent, DROP COLUMN try_again_at, DROP COLUMN promised_until;
DROP INDEX ix_messages_pages_waiting;
DROP INDEX ix_messages_mail;
DROP INDEX ix_messages_bundle;
DROP INDEX uq_messages_alert_step;
CREATE UNIQUE INDEX uq_messages_alert_step ON messages (agency_id, alert_id, alert_round, alert_step, clinician_id)
    WHERE kind = 'page' AND retry_of IS NULL;
ALTER TABLE messages DROP COLUMN bundle_id,
    DROP CONSTRAINT ck_messages_channel_is_known,
    ADD CONSTRAINT ck_messages_channel_is_known CHECK (channel IN ('sms', 'voice')),
    DROP CONSTRAINT ck_messages_calls_are_reminders,
    ADD CONSTRAINT ck_messages_calls_are_reminders CHECK (channel = 'sms' OR (kind = 'touchpoint' AND asks = 'confirm'));
ALTER TABLE clinicians DROP COLUMN email, DROP COLUMN page_channels, DROP COLUMN quiet_from, DROP COLUMN quiet_until;
"""


def upgrade() -> None:
    op.execute(UP)
    op.execute(FILL)


def downgrade() -> None:
    op.execute(FORGET)
    op.execute(DOWN)
