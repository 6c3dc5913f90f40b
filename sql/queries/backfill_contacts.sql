-- The next contacts that a backfill has not read, after :after; all of them when :most is null.
-- What waits for a time of its own (denied, unknown) is left out here as well.
SELECT r.contact_id
FROM ops.contact_registry AS r
WHERE
    r.contact_id > :after
    AND NOT EXISTS (
        SELECT 1 FROM ops.backfill_progress AS p
        WHERE p.backfill_id = CAST(:backfill_id AS bigint) AND p.contact_id = r.contact_id
    )
    AND NOT EXISTS (
        SELECT 1 FROM ops.watermarks AS w
        WHERE
            w.source = :source
            AND w.entity = :entity
            AND w.scope = r.contact_id
            AND w.reason = ANY(CAST(:deferred AS text []))
            AND w.due_at > :now
    )
ORDER BY r.contact_id
LIMIT CAST(:most AS bigint)
