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
