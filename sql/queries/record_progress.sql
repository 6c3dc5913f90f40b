-- One row per scope: how its last reading went. An older reading never takes a proof back.
INSERT INTO ops.watermarks AS stored (
    source, entity, scope, proof, proven_at, reason, read_at, due_at
)
SELECT
    :source,
    :entity,
    reading.scope,
    reading.proof,
    CASE WHEN reading.proof <> 'incomplete' THEN reading.read_at END,
    reading.reason,
    reading.read_at,
    reading.due_at
FROM unnest(
    CAST(:scopes AS text []),
    CAST(:proofs AS text []),
    CAST(:reasons AS text []),
    CAST(:read_at AS timestamptz []),
    CAST(:due_at AS timestamptz [])
) AS reading (scope, proof, reason, read_at, due_at)
ON CONFLICT (source, entity, scope) DO UPDATE SET
    proof = excluded.proof,
    proven_at = greatest(stored.proven_at, excluded.proven_at),
    reason = excluded.reason,
    read_at = excluded.read_at,
    due_at = excluded.due_at
WHERE excluded.read_at >= stored.read_at
