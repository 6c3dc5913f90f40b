-- Where the analysts' views live, what masks persons in them, and what is known of their making.
-- The views themselves are in sql/views.

CREATE SCHEMA masking;
COMMENT ON SCHEMA masking IS 'How persons are masked: the rules, and the key that nobody else reads';
CREATE SCHEMA masked;
COMMENT ON SCHEMA masked IS 'The tables of warehouse with pseudonyms in place of personal data';
CREATE SCHEMA mart;
COMMENT ON SCHEMA mart IS 'Ready answers, built on masked';
CREATE SCHEMA mart_pii;
COMMENT ON SCHEMA mart_pii IS 'The views of mart, built on warehouse: with personal data';

CREATE TABLE masking.secret (
    is_only_one boolean PRIMARY KEY DEFAULT true CHECK (is_only_one),
    key bytea NOT NULL CHECK (octet_length(key) = 32)
);
COMMENT ON TABLE masking.secret IS 'The key of the pseudonyms; another key makes other pseudonyms';
COMMENT ON COLUMN masking.secret.is_only_one IS 'There is one row';
COMMENT ON COLUMN masking.secret.key IS 'What the pseudonyms are made with; no role but the owner may read it';
-- Two UUIDs of 122 random bits each.
INSERT INTO masking.secret (key)
VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

CREATE TABLE masking.rules (
    table_name text NOT NULL,
    column_name text NOT NULL,
    treatment text NOT NULL CHECK (
        treatment IN ('plain', 'pseudonym', 'address', 'other_id', 'year', 'document', 'digest')
    ),
    plain_paths text [] NOT NULL DEFAULT '{}',
    PRIMARY KEY (table_name, column_name),
    CONSTRAINT only_a_document_has_paths CHECK (treatment = 'document' OR plain_paths = '{}')
);
COMMENT ON TABLE masking.rules IS 'What masked shows in place of a column of warehouse';
COMMENT ON COLUMN masking.rules.table_name IS 'The table, its history and its versions; * for those that every table has';
COMMENT ON COLUMN masking.rules.column_name IS 'The column';
COMMENT ON COLUMN masking.rules.treatment IS 'plain; pseudonym; address (one kind for e-mail addresses and numbers); other_id (plain where it is the id of a contact of the other system, else a pseudonym); year (its first day); document (every text and number in it a pseudonym); digest (of a hash)';
COMMENT ON COLUMN masking.rules.plain_paths IS 'Members of the document that are shown as they are; arrays take no part in a path';

CREATE TABLE ops.published_views (
    schema_name text NOT NULL,
    view_name text NOT NULL,
    fingerprint text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (schema_name, view_name)
);
COMMENT ON TABLE ops.published_views IS 'The views that migrate made from sql/views, and from which text';
COMMENT ON COLUMN ops.published_views.schema_name IS 'masked, mart or mart_pii';
COMMENT ON COLUMN ops.published_views.view_name IS 'The view''s name';
COMMENT ON COLUMN ops.published_views.fingerprint IS 'Of the texts, the migrations and the roles that they were made for';
COMMENT ON COLUMN ops.published_views.made_at IS 'When it was made';
