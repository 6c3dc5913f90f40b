-- One row per scope: how its last reading went. An older reading never takes a proof back, and one
-- that asked only for what is new says nothing of the rest.
WITH reading AS (
    SELECT *
    FROM unnest(
        CAST(:scopes AS text []),
        CAST(:proofs AS text []),
        CAST(:reasons AS text []),
        CAST(:read_at AS timestamptz []),
        CAST(:due_at AS timestamptz []),
        CAST(:is_news AS boolean []),
        CAST(:is_swept AS boolean []),
        CAST(:changed_at AS timestamptz []),
        CAST(:wanted_at AS timestamptz [])
    ) AS r (scope, proof, reason, read_at, due_at, is_news, is_swept, changed_at, wanted_at)
),

news AS (
    UPDATE ops.watermarks AS stored
    SET
        read_at = reading.read_at,
        due_at = reading.due_at,
        changed_at = coalesce(reading.changed_at, stored.changed_at),
        wanted_at = reading.wanted_at
    FROM reading
    WHERE
        stored.source = :source
        AND stored.entity = :entity
        AND stored.scope = reading.scope
        AND reading.is_news
        AND reading.read_at >= stored.read_at
)

INSERT INTO ops.watermarks AS stored (
    source, entity, scope, proof, proven_at, reason, read_at, due_at, swept_at,
    changed_at, wanted_at, aged_from
)
SELECT
    :source,
    :entity,
    reading.scope,
    reading.proof,
    CASE WHEN reading.proof <> 'incomplete' THEN reading.read_at END,
    reading.reason,
    reading.read_at,
    reading.due_at,
    CASE WHEN reading.is_swept THEN reading.read_at END,
    coalesce(reading.changed_at, reading.read_at),
    reading.wanted_at,
    CASE WHEN reading.is_swept THEN reading.read_at ELSE reading.due_at END
FROM reading
WHERE NOT reading.is_news
ON CONFLICT (source, entity, scope) DO UPDATE SET
    proof = excluded.proof,
    proven_at = greatest(stored.proven_at, excluded.proven_at),
    reason = excluded.reason,
    read_at = excluded.read_at,
    due_at = excluded.due_at,
    swept_at = greatest(stored.swept_at, excluded.swept_at),
    changed_at = excluded.changed_at,
    wanted_at = excluded.wanted_at,
    aged_from = excluded.aged_from
WHERE excluded.read_at >= stored.read_at
