"""Enrolment by text, what a contact may see, verification of old numbers; groups, tapers, follow-ups and overrides of touchpoints."""

from alembic import op

revision = "0020_programmes"
down_revision = "0019_console"
branch_labels = None
depends_on = None

_KINDS = "'touchpoint', 'opt_out_confirmation', 'answer', 'hand', 'page', 'note'"
_ASKS = "'nothing', 'confirm', 'score_1_5', 'score_1_10'"
_ANCHORS = "'visit_day', 'visit_completed', 'every_day'"
_RELATIONS = "'patient', 'family', 'emergency'"

UP = f"""
ALTER TABLE agencies
    ADD COLUMN alias TEXT,
    ADD COLUMN enrol_on_import BOOLEAN DEFAULT 'false' NOT NULL,
    ADD COLUMN verify_after_months SMALLINT DEFAULT '18' NOT NULL,
    ADD CONSTRAINT ck_agencies_verification_is_sane CHECK (verify_after_months BETWEEN 0 AND 60);
ALTER TABLE contacts
    ADD COLUMN may_see TEXT DEFAULT 'scores' NOT NULL,
    ADD COLUMN texts_after TIME WITHOUT TIME ZONE,
    ADD COLUMN texts_until TIME WITHOUT TIME ZONE,
    ADD CONSTRAINT ck_contacts_may_see_is_known CHECK (may_see IN ('visits', 'scores')),
    ADD CONSTRAINT ck_contacts_own_hours_are_open
        CHECK ((texts_after IS NULL) = (texts_until IS NULL) AND (texts_after IS NULL OR texts_after < texts_until)),
    DROP CONSTRAINT ck_contacts_relationship_is_known,
    ADD CONSTRAINT ck_contacts_relationship_is_known CHECK (relationship IN ({_RELATIONS}, 'proxy'));
CREATE TABLE enrolments (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    contact_id BIGINT NOT NULL,
    phone_hash BYTEA NOT NULL,
    purpose TEXT NOT NULL,
    categories TEXT[] NOT NULL,
    basis TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reminded_at TIMESTAMP WITH TIME ZONE,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    settled_how TEXT,
    reply_id BIGINT,
    CONSTRAINT pk_enrolments PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_enrolments_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_enrolments_agency_id_contact_id FOREIGN KEY(agency_id, contact_id) REFERENCES contacts (agency_id, id),
    CONSTRAINT ck_enrolments_purpose_is_known CHECK (purpose IN ('enrol', 'verify')),
    CONSTRAINT ck_enrolments_end_says_how
        CHECK ((settled_at IS NULL) = (settled_how IS NULL) AND settled_how IN ('agreed', 'declined', 'silent', 'stopped'))
);
CREATE UNIQUE INDEX uq_enrolments_open ON enrolments (agency_id, phone_hash) WHERE settled_at IS NULL;
CREATE INDEX ix_enrolments_phone ON enrolments (agency_id, phone_hash, id);
SELECT engage_guard('enrolments', false);

ALTER TABLE patients ADD COLUMN tags TEXT[] DEFAULT '{{}}' NOT NULL;
ALTER TABLE touchpoints
    ADD COLUMN for_whom JSONB DEFAULT '{{}}' NOT NULL,
    ADD COLUMN taper JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN follows TEXT,
    ADD COLUMN follows_at_most SMALLINT,
    ADD COLUMN yes_opens TEXT,
    DROP CONSTRAINT ck_touchpoints_anchor_is_known,
    ADD CONSTRAINT ck_touchpoints_anchor_is_known CHECK (anchor IN ({_ANCHORS}, 'score')),
    DROP CONSTRAINT ck_touchpoints_asks_is_known,
    ADD CONSTRAINT ck_touchpoints_asks_is_known CHECK (asks IN ({_ASKS}, 'yes_no')),
    DROP CONSTRAINT ck_touchpoints_time_fits_the_anchor,
    ADD CONSTRAINT ck_touchpoints_time_fits_the_anchor CHECK ((anchor IN ('visit_completed', 'score')) = (local_time IS NULL)),
    ADD CONSTRAINT ck_touchpoints_follow_up_is_whole CHECK (
        (anchor = 'score') = (asks = 'yes_no') AND (anchor = 'score') = (follows IS NOT NULL)
        AND (anchor = 'score') = (follows_at_most IS NOT NULL) AND (anchor = 'score') = (yes_opens IS NOT NULL)),
    ADD CONSTRAINT ck_touchpoints_yes_opens_is_known CHECK (yes_opens IN ('symptom', 'urgent'));
CREATE TABLE programme_overrides (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    patient_id BIGINT NOT NULL,
    touchpoint_id BIGINT NOT NULL,
    is_off BOOLEAN NOT NULL,
    local_time TIME WITHOUT TIME ZONE,
    set_by TEXT NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_programme_overrides PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_programme_overrides_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_programme_overrides_agency_id_patient_id FOREIGN KEY(agency_id, patient_id) REFERENCES patients (agency_id, id),
    CONSTRAINT fk_programme_overrides_agency_id_touchpoint_id FOREIGN KEY(agency_id, touchpoint_id) REFERENCES touchpoints (agency_id, id),
    CONSTRAINT uq_programme_overrides_agency_id_touchpoint_id_patient_id UNIQUE (agency_id, touchpoint_id, patient_id),
    CONSTRAINT ck_programme_overrides_off_or_another_hour CHECK (is_off = (local_time IS NULL))
);
SELECT engage_guard('programme_overrides', false);
CREATE TABLE follow_ups (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    touchpoint_id BIGINT NOT NULL,
    patient_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    asked_about BIGINT NOT NULL,
    reply_id BIGINT NOT NULL,
    message_id BIGINT,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    said_yes BOOLEAN,
    answered_by BIGINT,
    CONSTRAINT pk_follow_ups PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_follow_ups_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_follow_ups_agency_id_touchpoint_id FOREIGN KEY(agency_id, touchpoint_id) REFERENCES touchpoints (agency_id, id),
    CONSTRAINT fk_follow_ups_agency_id_patient_id FOREIGN KEY(agency_id, patient_id) REFERENCES patients (agency_id, id),
    CONSTRAINT fk_follow_ups_agency_id_contact_id FOREIGN KEY(agency_id, contact_id) REFERENCES contacts (agency_id, id),
    CONSTRAINT fk_follow_ups_agency_id_asked_about FOREIGN KEY(agency_id, asked_about) REFERENCES messages (agency_id, id),
    CONSTRAINT fk_follow_ups_agency_id_message_id FOREIGN KEY(agency_id, message_id) REFERENCES messages (agency_id, id),
    CONSTRAINT uq_follow_ups_agency_id_touchpoint_id_asked_about_patient_id UNIQUE (agency_id, touchpoint_id, asked_about, patient_id),
    CONSTRAINT ck_follow_ups_answer_is_whole CHECK ((said_yes IS NULL) = (answered_by IS NULL))
);
CREATE INDEX ix_follow_ups_contact ON follow_ups (agency_id, contact_id) WHERE said_yes IS NULL;
SELECT engage_guard('follow_ups', false);

ALTER TABLE messages
    DROP CONSTRAINT ck_messages_kind_is_known,
    ADD CONSTRAINT ck_messages_kind_is_known CHECK (kind IN ({_KINDS}, 'enrolment')),
    DROP CONSTRAINT ck_messages_asks_is_known,
    ADD CONSTRAINT ck_messages_asks_is_known CHECK (asks IN ({_ASKS}, 'yes_no'));
"""

# As 0009 has them, with the facts that a group is a rule over. Off and another hour are the patient's alone.
TRIGGERS = """
CREATE OR REPLACE FUNCTION engage_log_patients() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'INSERT INTO changes (agency_id, patient_id)
        SELECT n.agency_id, n.id FROM new_rows n JOIN old_rows o ON o.agency_id = n.agency_id AND o.id = n.id
        WHERE (n.status, n.time_zone, n.is_monitored{tags}) IS DISTINCT FROM (o.status, o.time_zone, o.is_monitored{old_tags})';
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION engage_log_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'INSERT INTO changes (agency_id, patient_id)
        WITH changed AS (
            SELECT n.agency_id, n.patient_id, o.patient_id AS old_patient_id, o.phone_hash, n.phone_hash <> o.phone_hash AS has_moved
            FROM new_rows n JOIN old_rows o ON o.agency_id = n.agency_id AND o.id = n.id
            WHERE (n.patient_id, n.relationship, n.phone_hash, n.phone_kind, n.ended_at IS NULL{may_see})
                IS DISTINCT FROM (o.patient_id, o.relationship, o.phone_hash, o.phone_kind, o.ended_at IS NULL{old_may_see}))
        SELECT agency_id, patient_id FROM changed
        UNION SELECT agency_id, old_patient_id FROM changed
        UNION SELECT c.agency_id, c.patient_id FROM changed d
              JOIN contacts c ON d.has_moved AND c.agency_id = d.agency_id AND c.phone_hash = d.phone_hash';
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION engage_log_episodes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        EXECUTE 'INSERT INTO changes (agency_id, patient_id)
            WITH changed AS (
                SELECT n.agency_id, n.patient_id, o.patient_id AS old_patient_id
                FROM new_rows n JOIN old_rows o ON o.agency_id = n.agency_id AND o.id = n.id
                WHERE (n.patient_id, n.starts_on, n.discharged_on{episode}) IS DISTINCT FROM (o.patient_id, o.starts_on, o.discharged_on{old_episode}))
            SELECT agency_id, patient_id FROM changed UNION SELECT agency_id, old_patient_id FROM changed';
    ELSE
        EXECUTE format('INSERT INTO changes (agency_id, patient_id) SELECT DISTINCT agency_id, patient_id FROM %I',
                       CASE TG_OP WHEN 'INSERT' THEN 'new_rows' ELSE 'old_rows' END);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION engage_log_visits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        EXECUTE 'INSERT INTO changes (agency_id, patient_id)
            WITH changed AS (
                SELECT n.agency_id, n.patient_id, o.patient_id AS old_patient_id
                FROM new_rows n JOIN old_rows o ON o.agency_id = n.agency_id AND o.id = n.id
                WHERE (n.patient_id, n.starts_on, n.starts_local, n.status, n.completed_at, n.answer IS NOT DISTINCT FROM ''does_not_want_it''{discipline})
                    IS DISTINCT FROM
                      (o.patient_id, o.starts_on, o.starts_local, o.status, o.completed_at, o.answer IS NOT DISTINCT FROM ''does_not_want_it''{old_discipline}))
            SELECT agency_id, patient_id FROM changed UNION SELECT agency_id, old_patient_id FROM changed';
    ELSE
        EXECUTE format('INSERT INTO changes (agency_id, patient_id) SELECT DISTINCT agency_id, patient_id FROM %I',
                       CASE TG_OP WHEN 'INSERT' THEN 'new_rows' ELSE 'old_rows' END);
    END IF;
    RETURN NULL;
END $$;
"""
MORE = {
    "tags": ", n.tags",
    "may_see": ", n.may_see",
    "episode": ", n.payer_id, n.line, n.start_of_care_on",
    "discipline": ", n.discipline",
}

OVERRIDES = """
CREATE FUNCTION engage_log_programme_overrides() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO changes (agency_id, patient_id) SELECT DISTINCT agency_id, patient_id FROM %I',
                   CASE TG_OP WHEN 'DELETE' THEN 'old_rows' ELSE 'new_rows' END);
    RETURN NULL;
END $$;
CREATE TRIGGER log_insert AFTER INSERT ON programme_overrides REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION engage_log_programme_overrides();
CREATE TRIGGER log_update AFTER UPDATE ON programme_overrides REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION engage_log_programme_overrides();
CREATE TRIGGER log_delete AFTER DELETE ON programme_overrides REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION engage_log_programme_overrides();
"""

# What founding gives to new agencies. Rows are only seen from within the role that may see all of them.
FILL = """
SET LOCAL ROLE engage_system;
INSERT INTO templates (agency_id, key, language, version, wording, written_by, written_at, reviewed_by, reviewed_at)
SELECT a.id, w.key, w.language, 1, w.wording, 'Engage', a.created_at, 'Engage founding team', '2026-11-22 00:00+00'
FROM agencies a CROSS JOIN (VALUES
{texts}
) AS w(key, language, wording)
ON CONFLICT (agency_id, key, language, version) DO NOTHING;
RESET ROLE;
"""
TEXTS = {
    "en": {
        "enrol": "{{ agency }}: May we text you {{ 'visit reminders, ' if visits else '' }}{{ 'check-ins, ' if checkins else '' }}{{ 'surveys, ' if surveys else '' }}up to {{ most }} msgs a week? Reply Y to agree, N if not. Msg&data rates may apply. HELP for help, STOP to end.",
        "enrol-again": "{{ agency }}: We asked if we may text you {{ 'visit reminders, ' if visits else '' }}{{ 'check-ins, ' if checkins else '' }}{{ 'surveys, ' if surveys else '' }}up to {{ most }} msgs a week. Reply Y to agree; without it we will not. Msg&data rates may apply. HELP for help, STOP to end.",
        "verify-number": "{{ agency }}: We have not heard from you for long. Is this still the right phone for our texts to you? Reply Y, or N if it is not. STOP ends texts.",
        "verify-number-again": "{{ agency }}: Is this still the right phone for our texts? We hold them until you reply Y, or N if it is not. STOP ends texts.",
        "enrol-thanks": "{{ agency }}: Thank you. Up to {{ most }} msgs a week. Msg&data rates may apply. Reply HELP for help, STOP to end. {{ phone }}",
        "enrol-declined": "{{ agency }}: Thank you. We will not text you, and your care goes on as planned. Questions? Call {{ phone }}.",
        "verify-thanks": "{{ agency }}: Thank you, our texts will go on. Questions? Call {{ phone }}.",
        "follow-noted": "{{ agency }}: Thank you, we noted it for the nurse. If it gets worse text us, or call 911 in an emergency. Our phone: {{ phone }}.",
    },
    "es": {
        "enrol": "{{ agency }}: ¿Podemos enviarle {{ 'avisos de visitas, ' if visits else '' }}{{ 'preguntas de salud, ' if checkins else '' }}{{ 'encuestas, ' if surveys else '' }}hasta {{ most }} mensajes por semana? Responda S para aceptar, N si no. Pueden aplicar tarifas de mensajes y datos. HELP: ayuda. STOP: terminar.",
        "enrol-again": "{{ agency }}: Le preguntamos si quiere recibir {{ 'avisos de visitas, ' if visits else '' }}{{ 'preguntas de salud, ' if checkins else '' }}{{ 'encuestas, ' if surveys else '' }}hasta {{ most }} mensajes por semana. Responda S para aceptar; si no, no le escribimos. Pueden aplicar tarifas. HELP: ayuda. STOP: terminar.",
        "verify-number": "{{ agency }}: Hace mucho que no sabemos de usted. ¿Es este su teléfono para nuestros mensajes? Responda S, o N si no lo es. STOP: terminar.",
        "verify-number-again": "{{ agency }}: ¿Es este su teléfono? Los mensajes esperan hasta que responda S, o N si no lo es. STOP: terminar.",
        "enrol-thanks": "{{ agency }}: Gracias. Hasta {{ most }} mensajes por semana. Pueden aplicar tarifas. HELP: ayuda. STOP: terminar. {{ phone }}",
        "enrol-declined": "{{ agency }}: Gracias. No le enviaremos mensajes y su cuidado sigue igual. ¿Preguntas? Llame al {{ phone }}.",
        "verify-thanks": "{{ agency }}: Gracias, seguiremos con los mensajes. ¿Preguntas? Llame al {{ phone }}.",
        "follow-noted": "{{ agency }}: Gracias, queda anotado para la enfermera. Si empeora, escriba; en una emergencia llame al 911. Tel.: {{ phone }}.",
    },
}

# The older release does not ask what these asked, and knows neither their kind nor that a contact may see visits only: whoever
# was not to see scores is texted no more until somebody looks.
FORGET = """
SET LOCAL ROLE engage_system;
UPDATE messages SET state = 'cancelled', reason = 'touchpoint_off', ended_at = now()
WHERE state = 'planned' AND (kind = 'enrolment' OR asks = 'yes_no');
UPDATE messages SET kind = 'answer' WHERE kind = 'enrolment';
UPDATE messages SET asks = 'nothing', touchpoint_id = NULL WHERE asks = 'yes_no';
DELETE FROM programme_overrides;
DELETE FROM follow_ups;
DELETE FROM touchpoints WHERE anchor = 'score';
UPDATE touchpoints SET is_active = false WHERE for_whom <> '{}' OR taper <> '[]';
UPDATE contacts SET ended_at = now() WHERE may_see = 'visits' AND ended_at IS NULL;
UPDATE contacts SET relationship = 'family' WHERE relationship = 'proxy';
RESET ROLE;
"""

DOWN = f"""
ALTER TABLE messages
    DROP CONSTRAINT ck_messages_kind_is_known, ADD CONSTRAINT ck_messages_kind_is_known CHECK (kind IN ({_KINDS})),
    DROP CONSTRAINT ck_messages_asks_is_known, ADD CONSTRAINT ck_messages_asks_is_known CHECK (asks IN ({_ASKS}));
DROP TABLE follow_ups;
DROP TABLE programme_overrides;
DROP FUNCTION engage_log_programme_overrides();
ALTER TABLE touchpoints
    DROP CONSTRAINT ck_touchpoints_yes_opens_is_known, DROP CONSTRAINT ck_touchpoints_follow_up_is_whole,
    DROP CONSTRAINT ck_touchpoints_time_fits_the_anchor,
    ADD CONSTRAINT ck_touchpoints_time_fits_the_anchor CHECK ((anchor = 'visit_completed') = (local_time IS NULL)),
    DROP CONSTRAINT ck_touchpoints_asks_is_known, ADD CONSTRAINT ck_touchpoints_asks_is_known CHECK (asks IN ({_ASKS})),
    DROP CONSTRAINT ck_touchpoints_anchor_is_known, ADD CONSTRAINT ck_touchpoints_anchor_is_known CHECK (anchor IN ({_ANCHORS})),
    DROP COLUMN yes_opens, DROP COLUMN follows_at_most, DROP COLUMN follows, DROP COLUMN taper, DROP COLUMN for_whom;
ALTER TABLE patients DROP COLUMN tags;
DROP TABLE enrolments;
ALTER TABLE contacts
    DROP CONSTRAINT ck_contacts_relationship_is_known,
    ADD CONSTRAINT ck_contacts_relationship_is_known CHECK (relationship IN ({_RELATIONS})),
    DROP CONSTRAINT ck_contacts_own_hours_are_open, DROP CONSTRAINT ck_contacts_may_see_is_known,
    DROP COLUMN texts_until, DROP COLUMN texts_after, DROP COLUMN may_see;
ALTER TABLE agencies DROP CONSTRAINT ck_agencies_verification_is_sane,
    DROP COLUMN verify_after_months, DROP COLUMN enrol_on_import, DROP COLUMN alias;
"""


def _triggers(more: dict[str, str]) -> str:
    """The functions that log changes, with the columns that count in this release."""
    words = TRIGGERS
    for name, columns in more.items():
        words = words.replace(f"{{old_{name}}}", columns.replace("n.", "o.")).replace(f"{{{name}}}", columns)
    return words


def _texts() -> str:
    rows = [(key, language, words) for language, texts in TEXTS.items() for key, words in texts.items()]
    return ",\n".join("('{}', '{}', '{}')".format(*(part.replace("'", "''") for part in row)) for row in rows)


def upgrade() -> None:
    op.execute(UP)
    op.execute(_triggers(MORE))
    op.execute(OVERRIDES)
    op.execute(FILL.format(texts=_texts()))


def downgrade() -> None:
    op.execute(_triggers(dict.fromkeys(MORE, "")))
    op.execute(FORGET)
    op.execute(DOWN)
