"""Second tries of a failed message, reminders by voice, a task when a reminder reaches nobody."""

from alembic import op

revision = "0011_second_tries"
down_revision = "0010_permission"
branch_labels = None
depends_on = None

_KINDS = (
    "'urgent', 'low_score', 'symptom', 'callback', 'reschedule', 'cancel_visit', 'question', 'complaint', 'low_survey', "
    "'opt_out', 'wrong_number', 'death', 'hospital', 'unreadable'"
)

UP = f"""
ALTER TABLE agencies ADD COLUMN voice_reminders BOOLEAN DEFAULT 'false' NOT NULL;

ALTER TABLE messages
    ADD COLUMN channel TEXT DEFAULT 'sms' NOT NULL,
    ADD COLUMN retry_of BIGINT,
    ADD CONSTRAINT ck_messages_channel_is_known CHECK (channel IN ('sms', 'voice')),
    ADD CONSTRAINT ck_messages_calls_are_reminders CHECK (channel = 'sms' OR (kind = 'touchpoint' AND asks = 'confirm')),
    ADD CONSTRAINT fk_messages_agency_id_retry_of FOREIGN KEY(agency_id, retry_of) REFERENCES messages (agency_id, id);
DROP INDEX uq_messages_occasion;
DROP INDEX uq_messages_reply_id;
DROP INDEX uq_messages_alert_step;
CREATE UNIQUE INDEX uq_messages_occasion ON messages (agency_id, touchpoint_id, contact_id, occasion)
    WHERE state <> 'cancelled' AND retry_of IS NULL;
CREATE UNIQUE INDEX uq_messages_reply_id ON messages (agency_id, reply_id, template) WHERE reply_id IS NOT NULL AND retry_of IS NULL;
CREATE UNIQUE INDEX uq_messages_alert_step ON messages (agency_id, alert_id, alert_round, alert_step, clinician_id)
    WHERE kind = 'page' AND retry_of IS NULL;
CREATE UNIQUE INDEX uq_messages_retry_of ON messages (agency_id, retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX ix_messages_undeliverable ON messages (ended_at)
    WHERE asks = 'confirm' AND state IN ('failed', 'undelivered', 'suppressed', 'expired');
CREATE INDEX ix_messages_refused ON messages (ended_at)
    WHERE state IN ('failed', 'undelivered') AND reason IN ('bug', 'config_alarm', 'unlisted');

ALTER TABLE replies
    ADD COLUMN message_id BIGINT,
    ADD CONSTRAINT fk_replies_agency_id_message_id FOREIGN KEY(agency_id, message_id) REFERENCES messages (agency_id, id);
CREATE INDEX ix_contacts_landline ON contacts (agency_id, patient_id) WHERE phone_kind = 'landline';

ALTER TABLE alerts DROP CONSTRAINT ck_alerts_kind_is_known,
    ADD CONSTRAINT ck_alerts_kind_is_known CHECK (kind IN ({_KINDS}, 'undeliverable'));
ALTER TABLE alert_rules DROP CONSTRAINT ck_alert_rules_kind_is_known,
    ADD CONSTRAINT ck_alert_rules_kind_is_known CHECK (kind IN ({_KINDS}, 'undeliverable'));
"""

# What founding gives to new agencies. Rows are only seen from within the role that may see all of them.
FILL = """
SET LOCAL ROLE engage_system;
INSERT INTO alert_rules (agency_id, kind, severity, ladder_id, acknowledged_minutes)
SELECT agency_id, 'undeliverable', 1, ladder_id, 480 FROM alert_rules WHERE kind = 'reschedule';
INSERT INTO templates (agency_id, key, language, version, wording, written_by, reviewed_by, reviewed_at)
SELECT a.id, w.key, w.language, 1, w.wording, 'Engage', 'Engage founding team', '2026-11-21 00:00+00'
FROM agencies a CROSS JOIN (VALUES
    ('call-day-before', 'en', 'Hello. This is {{ agency }}, calling for {{ patient }}. {{ clinicians }} will visit {{ patient }} tomorrow, {{ day }}, {{ times }}. Press 1 to confirm. Press 2 if you need another time. Press 9 for no more calls.'),
    ('call-day-of', 'en', 'Hello. This is {{ agency }}, calling for {{ patient }}. {{ clinicians }} will visit {{ patient }} today, {{ times }}. Press 1 to confirm. Press 2 if you need another time. Press 9 for no more calls.'),
    ('call-confirmed', 'en', 'Thank you. See you then. Goodbye.'),
    ('call-another-time', 'en', 'Thank you. We will call you to find another time. Our phone number is {{ phone }}. Goodbye.'),
    ('call-person', 'en', 'Thank you. A person will call you back. In an emergency, hang up and dial 911. Our phone number is {{ phone }}. Goodbye.'),
    ('call-no-more', 'en', 'You will get no more calls or texts from us about visits. For care, call {{ phone }}. Goodbye.'),
    ('call-day-before', 'es', 'Hola. Le habla {{ agency }}, con un mensaje para {{ patient }}. {{ clinicians }} {{ ''visitan'' if many else ''visita'' }} a {{ patient }} mañana, {{ day }}, {{ times }}. Marque 1 para confirmar. Marque 2 si necesita otra hora. Marque 9 para no recibir más llamadas.'),
    ('call-day-of', 'es', 'Hola. Le habla {{ agency }}, con un mensaje para {{ patient }}. {{ clinicians }} {{ ''visitan'' if many else ''visita'' }} hoy a {{ patient }}, {{ times }}. Marque 1 para confirmar. Marque 2 si necesita otra hora. Marque 9 para no recibir más llamadas.'),
    ('call-confirmed', 'es', 'Gracias. Hasta entonces. Adiós.'),
    ('call-another-time', 'es', 'Gracias. Le vamos a llamar para buscar otra hora. Nuestro número es {{ phone }}. Adiós.'),
    ('call-person', 'es', 'Gracias. Una persona le va a llamar. En una emergencia, cuelgue y marque 911. Nuestro número es {{ phone }}. Adiós.'),
    ('call-no-more', 'es', 'Ya no recibe llamadas ni textos nuestros sobre sus visitas. Para su cuidado, llame al {{ phone }}. Adiós.')
) AS w(key, language, wording)
ON CONFLICT (agency_id, key, language, version) DO NOTHING;
RESET ROLE;
"""

# The older release knows no second tries: of each chain the last one stands for the occasion, and nobody is texted who was to
# be called.
FORGET = """
SET LOCAL ROLE engage_system;
UPDATE messages SET state = 'cancelled', reason = 'touchpoint_off', ended_at = due_at WHERE channel = 'voice' AND state = 'planned';
UPDATE messages SET state = 'cancelled' WHERE kind = 'touchpoint' AND state IN ('failed', 'undelivered')
    AND (agency_id, id) IN (SELECT agency_id, retry_of FROM messages);
UPDATE messages SET reply_id = NULL WHERE retry_of IS NOT NULL;
UPDATE alerts SET kind = 'reschedule' WHERE kind = 'undeliverable';
DELETE FROM alert_rules WHERE kind = 'undeliverable';
RESET ROLE;
"""

DOWN = f"""
ALTER TABLE alert_rules DROP CONSTRAINT ck_alert_rules_kind_is_known,
    ADD CONSTRAINT ck_alert_rules_kind_is_known CHECK (kind IN ({_KINDS}));
ALTER TABLE alerts DROP CONSTRAINT ck_alerts_kind_is_known, ADD CONSTRAINT ck_alerts_kind_is_known CHECK (kind IN ({_KINDS}));
DROP INDEX ix_contacts_landline;
ALTER TABLE replies DROP COLUMN message_id;
DROP INDEX ix_messages_refused;
DROP INDEX ix_messages_undeliverable;
DROP INDEX uq_messages_retry_of;
DROP INDEX uq_messages_occasion;
DROP INDEX uq_messages_reply_id;
DROP INDEX uq_messages_alert_step;
ALTER TABLE messages DROP COLUMN retry_of, DROP COLUMN channel;
CREATE UNIQUE INDEX uq_messages_occasion ON messages (agency_id, touchpoint_id, contact_id, occasion) WHERE state <> 'cancelled';
CREATE UNIQUE INDEX uq_messages_reply_id ON messages (agency_id, reply_id, template) WHERE reply_id IS NOT NULL;
CREATE UNIQUE INDEX uq_messages_alert_step ON messages (agency_id, alert_id, alert_round, alert_step, clinician_id) WHERE kind = 'page';
ALTER TABLE agencies DROP COLUMN voice_reminders;
"""


def upgrade() -> None:
    op.execute(UP)
    op.execute(FILL)


def downgrade() -> None:
    op.execute(FORGET)
    op.execute(DOWN)
