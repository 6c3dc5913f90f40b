-- How far each backfill has come: one that failed or was killed goes on there when it is run again.
CREATE TABLE ops.backfills (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    entity text NOT NULL,
    origin text NOT NULL,
    windows text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (source, entity, origin, windows)
);
COMMENT ON TABLE ops.backfills IS 'Backfills that have not come to their end, one row per set of days that one run reads';
COMMENT ON COLUMN ops.backfills.id IS 'Number to name the row by';
COMMENT ON COLUMN ops.backfills.source IS 'crmcom, rocs or rosaas';
COMMENT ON COLUMN ops.backfills.entity IS 'The table that the backfill fills';
COMMENT ON COLUMN ops.backfills.origin IS 'The Dagster backfill, or the first run, that all attempts at it go back to';
COMMENT ON COLUMN ops.backfills.windows IS 'The spans of creation time that it reads, as ISO 8601 intervals without their ends';
COMMENT ON COLUMN ops.backfills.begun_at IS 'When the latest attempt began';

CREATE TABLE ops.backfill_progress (
    backfill_id bigint NOT NULL REFERENCES ops.backfills ON DELETE CASCADE,
    contact_id text NOT NULL,
    PRIMARY KEY (backfill_id, contact_id)
);
COMMENT ON TABLE ops.backfill_progress IS 'Contacts that a backfill has read, until the backfill ends; ops.watermarks knows nothing of it';
COMMENT ON COLUMN ops.backfill_progress.backfill_id IS 'The backfill, in ops.backfills';
COMMENT ON COLUMN ops.backfill_progress.contact_id IS 'The contact whose rows of those days were read and committed';

COMMENT ON COLUMN ops.sync_runs.cause IS 'What asked for the run: schedule, pull, backfill or ui';
