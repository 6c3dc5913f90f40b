-- What earlier migrations left behind.

-- A backfill asks for runs, and a replay as well.
COMMENT ON COLUMN ops.sync_runs.cause IS 'What asked for the run: schedule, pull, backfill, replay or ui';

-- Who is due is found by age, by wish, or by the registry: nothing follows this order any more.
DROP INDEX ops.watermarks_by_due;
