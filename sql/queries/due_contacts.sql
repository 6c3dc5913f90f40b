-- The next contacts to read after (:after_rank, :after_due, :after_id): those of a higher
-- priority first, then the longest due; all of them when :most is null.
-- With :as_of everything not read since then is due, but for what waits for a reason of its own.
WITH candidate AS (
    SELECT
        r.contact_id,
        -CAST(r.priority AS integer) AS rank,
        coalesce(
            CASE WHEN CAST(:as_of AS timestamptz) IS NULL THEN w.due_at ELSE w.read_at END,
            timestamptz '0001-01-01 00:00:00+00'
        ) AS due
    FROM ops.contact_registry AS r
    LEFT JOIN ops.watermarks AS w
        ON w.source = :source AND w.entity = :entity AND w.scope = r.contact_id
    WHERE
        w.scope IS NULL
        OR (CAST(:as_of AS timestamptz) IS NULL AND w.due_at <= :now)
        OR (
            w.read_at < CAST(:as_of AS timestamptz)
            AND NOT (coalesce(w.reason = ANY(CAST(:deferred AS text [])), false) AND w.due_at > :now)
        )
)

SELECT
    contact_id,
    due,
    rank
FROM candidate
WHERE
    (rank, due, contact_id)
    > (CAST(:after_rank AS integer), CAST(:after_due AS timestamptz), CAST(:after_id AS text))
ORDER BY rank, due, contact_id
LIMIT CAST(:most AS bigint)
