-- What settling rejected records by hand needs.

-- No statement knows it for the rows that are there already.
ALTER TABLE ops.quarantine ADD COLUMN scope text;
-- Looked up for each rejected record: was it discarded, with the very same bytes?
CREATE INDEX quarantine_discarded ON ops.quarantine (
    source, entity, error_code, sha256(payload_raw)
) WHERE resolution LIKE 'discarded:%';
COMMENT ON COLUMN ops.quarantine.scope IS 'The list or request that brought it (a contact id, a tenant name, empty for a stream''s own list): by it the record is read again';
COMMENT ON COLUMN ops.quarantine.resolution IS 'How it was settled: loaded (a later reading was sound), loaded as kept, outdated, or discarded: and why';
COMMENT ON COLUMN ops.sync_runs.rows_ignored IS 'Rows outside what the run asked for, or discarded from the quarantine';
COMMENT ON COLUMN ops.sync_runs.cause IS 'What asked for the run: schedule, pull, replay or ui';

-- How the fields of the sources differ from what the mapping knows.
CREATE TABLE ops.fields (
    source text NOT NULL,
    entity text NOT NULL,
    field text NOT NULL,
    kind text NOT NULL
    CHECK (kind IN ('usual', 'new', 'missing', 'retyped', 'unknown_value')),
    rows_seen bigint NOT NULL,
    example_type text,
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    run_id text NOT NULL,
    PRIMARY KEY (source, entity, field, kind)
);
COMMENT ON TABLE ops.fields IS 'Fields of the sources that differ from what the mapping knows, counted; names and JSON types only, never a value';
COMMENT ON COLUMN ops.fields.source IS 'crmcom, rocs or rosaas';
COMMENT ON COLUMN ops.fields.entity IS 'The table whose records have the field';
COMMENT ON COLUMN ops.fields.field IS 'The field''s name as the source has it, a dot between an object and its member';
COMMENT ON COLUMN ops.fields.kind IS 'new (unknown to the mapping, kept in attributes), retyped (of a JSON type that the column cannot be read from), unknown_value (outside its enumeration), missing (in no record where nearly all had it), usual (nearly all records have it: what missing is told by)';
COMMENT ON COLUMN ops.fields.rows_seen IS 'In how many records that was, over all runs; a record counts when it is new or changed';
COMMENT ON COLUMN ops.fields.example_type IS 'The JSON type of one of its values: string, number, boolean, object, array or null';
COMMENT ON COLUMN ops.fields.first_seen_at IS 'When that was first so';
COMMENT ON COLUMN ops.fields.last_seen_at IS 'When it was last so';
COMMENT ON COLUMN ops.fields.run_id IS 'The run that saw it last';
