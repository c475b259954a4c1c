"""Whose a score is, what was asked back, levels and snoozes of a patient, texts that a nurse wrote by hand."""

from alembic import op

revision = "0014_context"
down_revision = "0013_alert_kinds"
branch_labels = None
depends_on = None

_KINDS = "'touchpoint', 'opt_out_confirmation', 'answer', 'page', 'note'"

UP = f"""
ALTER TABLE agencies
    ADD COLUMN drop_by SMALLINT DEFAULT '2' NOT NULL,
    ADD COLUMN threes_in_a_row SMALLINT DEFAULT '2' NOT NULL,
    ADD COLUMN silent_after SMALLINT DEFAULT '3' NOT NULL,
    ADD CONSTRAINT ck_agencies_trends_are_sane CHECK (drop_by BETWEEN 0 AND 4 AND threes_in_a_row BETWEEN 0 AND 20 AND silent_after BETWEEN 0 AND 60);

CREATE TABLE patient_levels (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id BIGINT NOT NULL,
    baseline SMALLINT,
    alert_at_most SMALLINT,
    drop_by SMALLINT,
    threes_in_a_row SMALLINT,
    silent_after SMALLINT,
    snoozed_until TIMESTAMP WITH TIME ZONE,
    set_by TEXT NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_patient_levels PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_patient_levels_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_patient_levels_agency_id_patient_id FOREIGN KEY(agency_id, patient_id) REFERENCES patients (agency_id, id),
    CONSTRAINT uq_patient_levels_agency_id_patient_id UNIQUE (agency_id, patient_id),
    CONSTRAINT ck_patient_levels_scores_are_on_the_scale CHECK (baseline BETWEEN 1 AND 5 AND alert_at_most BETWEEN 1 AND 5),
    CONSTRAINT ck_patient_levels_trends_are_sane CHECK (drop_by BETWEEN 0 AND 4 AND threes_in_a_row BETWEEN 0 AND 20 AND silent_after BETWEEN 0 AND 60)
);
SELECT engage_guard('patient_levels', false);

CREATE TABLE clarifications (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    reply_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    patient_id BIGINT NOT NULL,
    phone_hash BYTEA NOT NULL,
    why TEXT NOT NULL,
    scale SMALLINT,
    value SMALLINT,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    settled_how TEXT,
    CONSTRAINT pk_clarifications PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_clarifications_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_clarifications_agency_id_reply_id FOREIGN KEY(agency_id, reply_id) REFERENCES replies (agency_id, id),
    CONSTRAINT fk_clarifications_agency_id_message_id FOREIGN KEY(agency_id, message_id) REFERENCES messages (agency_id, id),
    CONSTRAINT fk_clarifications_agency_id_patient_id FOREIGN KEY(agency_id, patient_id) REFERENCES patients (agency_id, id),
    CONSTRAINT uq_clarifications_agency_id_message_id_why UNIQUE (agency_id, message_id, why),
    CONSTRAINT ck_clarifications_why_is_known CHECK (why IN ('whose', 'meaning')),
    CONSTRAINT ck_clarifications_whose_has_its_score CHECK ((why = 'whose') = (value IS NOT NULL AND scale IS NOT NULL)),
    CONSTRAINT ck_clarifications_end_says_how CHECK ((settled_at IS NULL) = (settled_how IS NULL) AND settled_how IN ('answered', 'person'))
);
CREATE INDEX ix_clarifications_open ON clarifications (until) WHERE settled_at IS NULL;
CREATE INDEX ix_clarifications_phone ON clarifications (agency_id, phone_hash) WHERE settled_at IS NULL;
SELECT engage_guard('clarifications', false);

CREATE TABLE silence_watch (
    id BIGINT DEFAULT '1' NOT NULL,
    looked_until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_silence_watch PRIMARY KEY (id),
    CONSTRAINT ck_silence_watch_is_one_row CHECK (id = 1)
);
SELECT engage_guard_system('silence_watch');
CREATE INDEX ix_messages_checkins ON messages (claimed_at) WHERE asks = 'score_1_5' AND kind = 'touchpoint' AND state = 'delivered';

ALTER TABLE scores
    ADD COLUMN contact_id BIGINT,
    ADD COLUMN relationship TEXT,
    ADD COLUMN superseded_by BIGINT,
    DROP CONSTRAINT uq_scores_agency_id_reply_id,
    ADD CONSTRAINT uq_scores_agency_id_reply_id_patient_id_scale UNIQUE (agency_id, reply_id, patient_id, scale),
    ADD CONSTRAINT fk_scores_agency_id_contact_id FOREIGN KEY(agency_id, contact_id) REFERENCES contacts (agency_id, id),
    ADD CONSTRAINT fk_scores_agency_id_superseded_by FOREIGN KEY(agency_id, superseded_by) REFERENCES replies (agency_id, id);
CREATE INDEX ix_scores_message ON scores (agency_id, message_id);

ALTER TABLE readings ADD COLUMN read_with BIGINT[] DEFAULT '{{}}' NOT NULL;

DROP INDEX uq_alerts_reply_kind;
CREATE UNIQUE INDEX uq_alerts_reply_kind ON alerts (agency_id, reply_id, kind, patient_id) NULLS NOT DISTINCT WHERE reply_id IS NOT NULL;

ALTER TABLE messages
    ADD COLUMN also_for BIGINT[],
    ADD COLUMN written_by BIGINT,
    ADD CONSTRAINT fk_messages_agency_id_written_by FOREIGN KEY(agency_id, written_by) REFERENCES clinicians (agency_id, id),
    DROP CONSTRAINT ck_messages_kind_is_known,
    ADD CONSTRAINT ck_messages_kind_is_known CHECK (kind IN ({_KINDS}, 'hand')),
    ADD CONSTRAINT ck_messages_hand_has_its_words CHECK (kind <> 'hand' OR body IS NOT NULL);
CREATE INDEX ix_messages_hand ON messages (agency_id, contact_id, planned_at) WHERE kind = 'hand';
"""

# What founding gives to new agencies. Rows are only seen from within the role that may see all of them.
FILL = """
SET LOCAL ROLE engage_system;
INSERT INTO templates (agency_id, key, language, version, wording, written_by, reviewed_by, reviewed_at)
SELECT a.id, w.key, w.language, 1, w.wording, 'Engage', 'Engage founding team', '2026-11-22 00:00+00'
FROM agencies a CROSS JOIN (VALUES
    ('answer-which', 'en', '{{ agency }}: Thank you. Is that for {{ either }}? Reply with the name and the number, e.g. {{ name }} {{ score }}.'),
    ('answer-which', 'es', '{{ agency }}: Gracias. ¿Es para {{ either }}? Responda con el nombre y la cifra, p. ej. {{ name }} {{ score }}.'),
    ('answer-which-low', 'en', '{{ agency }}: Thank you, a nurse will call. If it is an emergency call 911. Is that for {{ either }}? Reply e.g. {{ name }} {{ score }}.'),
    ('answer-which-low', 'es', '{{ agency }}: Gracias, le llama una enfermera. Emergencia: llame al 911. ¿Es para {{ either }}? Responda p. ej. {{ name }} {{ score }}.'),
    ('answer-clarify', 'en', '{{ agency }}: Sorry, we could not read that. Please reply with a number, 1 (worst) to {{ top }} (best). If it is an emergency call 911. {{ phone }}'),
    ('answer-clarify', 'es', '{{ agency }}: No entendimos. Responda con una cifra, de 1 (peor) a {{ top }} (mejor). En una emergencia llame al 911. Tel.: {{ phone }}'),
    ('answer-picture', 'en', '{{ agency }}: We cannot see pictures here. Please tell us in words, or call {{ phone }}. If it is an emergency call 911.'),
    ('answer-picture', 'es', '{{ agency }}: No podemos ver fotos. Escriba lo que pasa, o llame al {{ phone }}. En una emergencia llame al 911.'),
    ('answer-both', 'en', '{{ agency }}: Thank you. See you then, and we noted your {{ score }}. Questions? Call {{ phone }}.'),
    ('answer-both', 'es', '{{ agency }}: Gracias. Le visitamos entonces, y anotamos su {{ score }}. ¿Preguntas? Llame al {{ phone }}.'),
    ('answer-sure', 'en', '{{ agency }}: You wrote {{ score }}; 1 is much worse, 5 much better. Another number? Text it. A nurse will call. If an emergency call 911.'),
    ('answer-sure', 'es', '{{ agency }}: Recibimos {{ score }}; 1 es mucho peor, 5 mucho mejor. ¿Era otra cifra? Responda con ella. Le llama una enfermera. Emergencia: 911.'),
    ('note-answered', 'en', '{{ agency }} Engage: somebody you wrote to has answered; {{ code }} is yours. Details are in Engage, or call the office {{ phone }}.')
) AS w(key, language, wording)
ON CONFLICT (agency_id, key, language, version) DO NOTHING;
RESET ROLE;
"""

# The older release has one score a reply, and no word for a text by hand: it is kept as an answer.
FORGET = """
SET LOCAL ROLE engage_system;
DELETE FROM scores s USING scores o
WHERE o.agency_id = s.agency_id AND o.reply_id = s.reply_id AND o.id < s.id;
UPDATE messages SET kind = 'answer' WHERE kind = 'hand';
UPDATE alerts a SET reply_id = NULL FROM alerts o
WHERE o.agency_id = a.agency_id AND o.reply_id = a.reply_id AND o.kind = a.kind AND o.id < a.id;
RESET ROLE;
"""

DOWN = f"""
DROP INDEX ix_messages_hand;
ALTER TABLE messages DROP CONSTRAINT ck_messages_hand_has_its_words, DROP CONSTRAINT ck_messages_kind_is_known,
    ADD CONSTRAINT ck_messages_kind_is_known CHECK (kind IN ({_KINDS})),
    DROP CONSTRAINT fk_messages_agency_id_written_by, DROP COLUMN written_by, DROP COLUMN also_for;
DROP INDEX uq_alerts_reply_kind;
CREATE UNIQUE INDEX uq_alerts_reply_kind ON alerts (agency_id, reply_id, kind) WHERE reply_id IS NOT NULL;
ALTER TABLE readings DROP COLUMN read_with;
DROP INDEX ix_scores_message;
ALTER TABLE scores DROP CONSTRAINT uq_scores_agency_id_reply_id_patient_id_scale, DROP COLUMN superseded_by, DROP COLUMN relationship, DROP COLUMN contact_id,
    ADD CONSTRAINT uq_scores_agency_id_reply_id UNIQUE (agency_id, reply_id);
DROP INDEX ix_messages_checkins;
DROP TABLE silence_watch;
DROP TABLE clarifications;
DROP TABLE patient_levels;
ALTER TABLE agencies DROP CONSTRAINT ck_agencies_trends_are_sane, DROP COLUMN silent_after, DROP COLUMN threes_in_a_row, DROP COLUMN drop_by;
"""


def upgrade() -> None:
    op.execute(UP)
    op.execute(FILL)


def downgrade() -> None:
    op.execute(FORGET)
    op.execute(DOWN)
