-- The backfill's own row: a new one, or that of an earlier attempt, which is gone on with.
INSERT INTO ops.backfills (source, entity, origin, windows)
VALUES (:source, :entity, :origin, :windows)
ON CONFLICT (source, entity, origin, windows) DO UPDATE SET begun_at = clock_timestamp()
RETURNING id
