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
COMMENT ON COLUMN ops.published_views.fingerprint IS 'Of the texts of all views and of the roles that may read them';
COMMENT ON COLUMN ops.published_views.made_at IS 'When it was made';

-- What has its place and is not used yet says so.
COMMENT ON COLUMN ops.sync_runs.rows_suppressed IS 'Rows of people who asked to be kept out; always 0 as yet';
COMMENT ON COLUMN ops.sync_runs.rows_deleted IS 'Rows marked as gone from the source, not part of rows_read; always 0 as yet';
COMMENT ON COLUMN ops.watermarks.proof IS 'How the last reading was proven: single_response, or incomplete; tail_first and agreeing_passes are not used yet';
COMMENT ON COLUMN ops.contact_registry.priority IS 'Higher is read earlier among those that are due; nothing sets it yet';
COMMENT ON COLUMN warehouse.contacts.cause IS 'Why this version came to be: source (a reading brought it); push, normaliser, deleted and revived are not used yet';
COMMENT ON COLUMN warehouse.contacts.deleted_at IS 'When its absence at the source was confirmed; always null as yet';
COMMENT ON COLUMN warehouse.communications.cause IS 'Why this version came to be: source (a reading brought it); push, normaliser, deleted and revived are not used yet';
COMMENT ON COLUMN warehouse.communications.deleted_at IS 'When its absence at the source was confirmed; always null as yet';
COMMENT ON COLUMN warehouse.tenants.cause IS 'Why this version came to be: source (a reading brought it); push, normaliser, deleted and revived are not used yet';
COMMENT ON COLUMN warehouse.tenants.deleted_at IS 'When its absence at the source was confirmed; always null as yet';
COMMENT ON COLUMN warehouse.approval_requests.cause IS 'Why this version came to be: source (a reading brought it); push, normaliser, deleted and revived are not used yet';
COMMENT ON COLUMN warehouse.approval_requests.deleted_at IS 'When its absence at the source was confirmed; always null as yet';
COMMENT ON COLUMN warehouse.plans.cause IS 'Why this version came to be: source (a reading brought it); push, normaliser, deleted and revived are not used yet';
COMMENT ON COLUMN warehouse.plans.deleted_at IS 'When its absence at the source was confirmed; always null as yet';
COMMENT ON COLUMN warehouse.specifications.cause IS 'Why this version came to be: source (a reading brought it); push, normaliser, deleted and revived are not used yet';
COMMENT ON COLUMN warehouse.specifications.deleted_at IS 'When its absence at the source was confirmed; always null as yet';
COMMENT ON COLUMN warehouse.contact_lists.cause IS 'Why this version came to be: source (a reading brought it); push, normaliser, deleted and revived are not used yet';
COMMENT ON COLUMN warehouse.contact_lists.deleted_at IS 'When its absence at the source was confirmed; always null as yet';
COMMENT ON COLUMN warehouse.campaigns.cause IS 'Why this version came to be: source (a reading brought it); push, normaliser, deleted and revived are not used yet';
COMMENT ON COLUMN warehouse.campaigns.deleted_at IS 'When its absence at the source was confirmed; always null as yet';

DO $$
DECLARE
    described record;
BEGIN
    FOR described IN
        SELECT
            origin.relname || suffix AS relation,
            a.attname AS name,
            col_description(origin.oid, a.attnum) AS comment
        FROM pg_class AS origin
        INNER JOIN pg_attribute AS a
            ON a.attrelid = origin.oid AND a.attname IN ('cause', 'deleted_at')
        CROSS JOIN unnest(ARRAY['_history', '_versions']) AS suffix
        WHERE origin.relnamespace = 'warehouse'::regnamespace
            AND origin.relkind = 'r' AND origin.relname !~ '_history$'
    LOOP
        EXECUTE format(
            'COMMENT ON COLUMN warehouse.%I.%I IS %L',
            described.relation, described.name, described.comment
        );
    END LOOP;
END
$$;
