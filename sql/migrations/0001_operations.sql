-- What the pipeline knows about its own work: runs, proofs, ids to read, rejected rows.

CREATE SCHEMA ops;
COMMENT ON SCHEMA ops IS 'The pipeline''s own records: runs, proofs of completeness, quarantine';
CREATE SCHEMA warehouse;
COMMENT ON SCHEMA warehouse IS 'The synced tables in canonical form, with their history';

CREATE TABLE ops.schema_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ops.schema_migrations IS 'The files of sql/migrations that were applied';
COMMENT ON COLUMN ops.schema_migrations.number IS 'The file''s number';
COMMENT ON COLUMN ops.schema_migrations.name IS 'The file''s name';
COMMENT ON COLUMN ops.schema_migrations.applied_at IS 'When it was applied';

CREATE TABLE ops.sync_runs (
    run_id text NOT NULL,
    source text NOT NULL,
    entity text NOT NULL,
    cause text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    outcome text NOT NULL DEFAULT 'running'
        CHECK (outcome IN ('running', 'succeeded', 'failed', 'abandoned')),
    is_complete boolean NOT NULL DEFAULT false,
    rows_read bigint NOT NULL DEFAULT 0,
    rows_inserted bigint NOT NULL DEFAULT 0,
    rows_updated bigint NOT NULL DEFAULT 0,
    rows_unchanged bigint NOT NULL DEFAULT 0,
    rows_duplicate bigint NOT NULL DEFAULT 0,
    rows_outdated bigint NOT NULL DEFAULT 0,
    rows_ignored bigint NOT NULL DEFAULT 0,
    rows_suppressed bigint NOT NULL DEFAULT 0,
    rows_quarantined bigint NOT NULL DEFAULT 0,
    rows_deleted bigint NOT NULL DEFAULT 0,
    scopes_total bigint NOT NULL DEFAULT 0,
    scopes_read bigint NOT NULL DEFAULT 0,
    scopes_incomplete bigint NOT NULL DEFAULT 0,
    scopes_denied bigint NOT NULL DEFAULT 0,
    requests bigint NOT NULL DEFAULT 0,
    retries bigint NOT NULL DEFAULT 0,
    bytes_read bigint NOT NULL DEFAULT 0,
    error text,
    PRIMARY KEY (run_id, source, entity),
    CONSTRAINT rows_read_is_the_sum_of_its_parts CHECK (
        rows_read = rows_inserted + rows_updated + rows_unchanged + rows_duplicate
        + rows_outdated + rows_ignored + rows_suppressed + rows_quarantined
    ),
    CONSTRAINT finished_when_not_running CHECK ((outcome = 'running') = (finished_at IS NULL))
);
CREATE INDEX sync_runs_by_stream ON ops.sync_runs (source, entity, started_at DESC);
COMMENT ON TABLE ops.sync_runs IS 'One row per run and stream, kept up to date batch by batch';
COMMENT ON COLUMN ops.sync_runs.run_id IS 'The Dagster run';
COMMENT ON COLUMN ops.sync_runs.source IS 'crmcom, rocs or rosaas';
COMMENT ON COLUMN ops.sync_runs.entity IS 'The table that the run fills';
COMMENT ON COLUMN ops.sync_runs.cause IS 'What asked for the run: schedule, pull or ui';
COMMENT ON COLUMN ops.sync_runs.started_at IS 'When the run got hold of its stream';
COMMENT ON COLUMN ops.sync_runs.finished_at IS 'When it ended; null while it runs';
COMMENT ON COLUMN ops.sync_runs.outcome IS 'running, succeeded, failed, or abandoned (its process died)';
COMMENT ON COLUMN ops.sync_runs.is_complete IS 'Everything that the run set out to read was proven complete';
COMMENT ON COLUMN ops.sync_runs.rows_read IS 'Rows received; the sum of inserted to quarantined';
COMMENT ON COLUMN ops.sync_runs.rows_inserted IS 'Rows that were new to the warehouse';
COMMENT ON COLUMN ops.sync_runs.rows_updated IS 'Rows whose content had changed';
COMMENT ON COLUMN ops.sync_runs.rows_unchanged IS 'Rows whose content was the stored one';
COMMENT ON COLUMN ops.sync_runs.rows_duplicate IS 'Rows that the run had already received';
COMMENT ON COLUMN ops.sync_runs.rows_outdated IS 'Rows for which the warehouse held a fresher reading';
COMMENT ON COLUMN ops.sync_runs.rows_ignored IS 'Rows outside what the run asked for';
COMMENT ON COLUMN ops.sync_runs.rows_suppressed IS 'Rows of people who asked to be kept out';
COMMENT ON COLUMN ops.sync_runs.rows_quarantined IS 'Rows that break the contract, kept in ops.quarantine';
COMMENT ON COLUMN ops.sync_runs.rows_deleted IS 'Rows marked as gone from the source; not part of rows_read';
COMMENT ON COLUMN ops.sync_runs.scopes_total IS 'Scopes (lists, or single records) that were due';
COMMENT ON COLUMN ops.sync_runs.scopes_read IS 'Scopes that were read to an end, proven or not';
COMMENT ON COLUMN ops.sync_runs.scopes_incomplete IS 'Scopes whose reading could not be proven complete';
COMMENT ON COLUMN ops.sync_runs.scopes_denied IS 'Scopes that the identity may not read';
COMMENT ON COLUMN ops.sync_runs.requests IS 'HTTP requests sent, retries among them';
COMMENT ON COLUMN ops.sync_runs.retries IS 'HTTP requests that repeated a failed one';
COMMENT ON COLUMN ops.sync_runs.bytes_read IS 'Bytes of answers, uncompressed';
COMMENT ON COLUMN ops.sync_runs.error IS 'Why the run failed, in words';

CREATE TABLE ops.watermarks (
    source text NOT NULL,
    entity text NOT NULL,
    scope text NOT NULL,
    proof text NOT NULL
        CHECK (proof IN ('single_response', 'tail_first', 'agreeing_passes', 'incomplete')),
    proven_at timestamptz,
    reason text,
    read_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (source, entity, scope),
    CONSTRAINT a_proof_has_its_time CHECK (proof = 'incomplete' OR proven_at IS NOT NULL),
    CONSTRAINT incomplete_has_a_reason CHECK ((proof = 'incomplete') = (reason IS NOT NULL))
);
CREATE INDEX watermarks_by_due ON ops.watermarks (source, entity, due_at);
COMMENT ON TABLE ops.watermarks IS 'Per scope: how its last reading was proven complete, and when it is due again';
COMMENT ON COLUMN ops.watermarks.source IS 'crmcom, rocs or rosaas';
COMMENT ON COLUMN ops.watermarks.entity IS 'The table that the scope belongs to';
COMMENT ON COLUMN ops.watermarks.scope IS 'Empty for a stream''s own list; else the contact id or the tenant name';
COMMENT ON COLUMN ops.watermarks.proof IS 'How the last reading was proven: single_response, tail_first, agreeing_passes or incomplete';
COMMENT ON COLUMN ops.watermarks.proven_at IS 'When the first request of the latest proven reading was sent';
COMMENT ON COLUMN ops.watermarks.reason IS 'Why the last reading is incomplete';
COMMENT ON COLUMN ops.watermarks.read_at IS 'When the first request of the last reading, proven or not, was sent';
COMMENT ON COLUMN ops.watermarks.due_at IS 'When the scope should be read again';

CREATE TABLE ops.contact_registry (
    contact_id text PRIMARY KEY,
    origin text NOT NULL,
    access text NOT NULL DEFAULT 'unknown'
        CHECK (access IN ('unknown', 'granted', 'denied', 'missing')),
    priority smallint NOT NULL DEFAULT 0,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.contact_registry IS 'The CRM.COM contacts to read; ids only, never a credential';
COMMENT ON COLUMN ops.contact_registry.contact_id IS 'CRM.COM''s id, opaque text';
COMMENT ON COLUMN ops.contact_registry.origin IS 'What named the id first: backoffice, file or asked';
COMMENT ON COLUMN ops.contact_registry.access IS 'What the API said last: granted, denied (403) or missing (unknown id)';
COMMENT ON COLUMN ops.contact_registry.priority IS 'Higher is read earlier among those that are due';
COMMENT ON COLUMN ops.contact_registry.first_seen_at IS 'When the id was first named';
COMMENT ON COLUMN ops.contact_registry.last_seen_at IS 'When the id was last named';

CREATE TABLE ops.quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    entity text NOT NULL,
    record_id text,
    payload_raw bytea NOT NULL,
    payload jsonb,
    reason text NOT NULL,
    error_code text NOT NULL,
    observed_at timestamptz NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    resolution text,
    CONSTRAINT a_resolution_has_its_time CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);
-- The same defect of the same record is one row, however often it is read.
CREATE UNIQUE INDEX quarantine_open ON ops.quarantine (
    source, entity, error_code, coalesce(record_id, encode(sha256(payload_raw), 'hex'))
) WHERE resolved_at IS NULL;
CREATE INDEX quarantine_by_record ON ops.quarantine (source, entity, record_id)
WHERE resolved_at IS NULL;
COMMENT ON TABLE ops.quarantine IS 'Records that break the contract, with their bytes and the reason; nothing is dropped';
COMMENT ON COLUMN ops.quarantine.id IS 'Number to name the row by';
COMMENT ON COLUMN ops.quarantine.source IS 'crmcom, rocs or rosaas';
COMMENT ON COLUMN ops.quarantine.entity IS 'The table that the record was meant for';
COMMENT ON COLUMN ops.quarantine.record_id IS 'The record''s id, where one could be read';
COMMENT ON COLUMN ops.quarantine.payload_raw IS 'The record exactly as received';
COMMENT ON COLUMN ops.quarantine.payload IS 'The same as jsonb, where PostgreSQL can hold it';
COMMENT ON COLUMN ops.quarantine.reason IS 'What is wrong with it, in words';
COMMENT ON COLUMN ops.quarantine.error_code IS 'The kind of defect, for counting';
COMMENT ON COLUMN ops.quarantine.observed_at IS 'When the request that brought it was sent';
COMMENT ON COLUMN ops.quarantine.first_seen_at IS 'When this defect of this record was first met';
COMMENT ON COLUMN ops.quarantine.last_seen_at IS 'When it was last met';
COMMENT ON COLUMN ops.quarantine.resolved_at IS 'When it was settled; null while it is open';
COMMENT ON COLUMN ops.quarantine.resolution IS 'How it was settled: loaded (a later reading was sound)';
