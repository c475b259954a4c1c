"""Single sign-on: each agency's provider, and who of its people is whom there; when somebody last proved again that it is them."""

from alembic import op

revision = "0021_signon"
down_revision = "0020_programmes"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE sign_ons (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    client_secret BYTEA NOT NULL,
    email_domain TEXT,
    set_by TEXT NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sign_ons PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_sign_ons_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT uq_sign_ons_agency_id UNIQUE (agency_id),
    CONSTRAINT ck_sign_ons_domain_is_lower CHECK (email_domain = lower(email_domain))
);
CREATE TABLE account_identities (
    agency_id BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    account_id BIGINT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_account_identities PRIMARY KEY (agency_id, id),
    CONSTRAINT fk_account_identities_agency_id FOREIGN KEY(agency_id) REFERENCES agencies (id),
    CONSTRAINT fk_account_identities_agency_id_account_id FOREIGN KEY(agency_id, account_id) REFERENCES accounts (agency_id, id),
    CONSTRAINT uq_account_identities_agency_id_issuer_subject UNIQUE (agency_id, issuer, subject),
    CONSTRAINT uq_account_identities_agency_id_account_id_issuer UNIQUE (agency_id, account_id, issuer)
);
SELECT engage_guard('sign_ons', false);
SELECT engage_guard('account_identities', false);
ALTER TABLE console_sessions ADD COLUMN confirmed_at TIMESTAMP WITH TIME ZONE;
"""

DOWN = """
ALTER TABLE console_sessions DROP COLUMN confirmed_at;
DROP TABLE account_identities;
DROP TABLE sign_ons;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
