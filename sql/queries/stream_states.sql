-- Per stream: its last run, how fresh its proofs are, what of the scopes that were read is due again
-- (of contacts, `count_due` knows more), what is open.
SELECT
    last.started_at AS last_run,
    last.outcome,
    last.is_complete AS complete,
    proofs.scopes,
    proofs.incomplete,
    proofs.denied,
    proofs.oldest_proof,
    proofs.due,
    0 AS unread,
    proofs.oldest_due,
    (
        SELECT count(*) FROM ops.quarantine AS q
        WHERE q.source = wanted.source AND q.entity = wanted.entity AND q.resolved_at IS NULL
    ) AS quarantined,
    last.error
FROM unnest(CAST(:sources AS text []), CAST(:entities AS text []))
    WITH ORDINALITY AS wanted (source, entity, position)
LEFT JOIN LATERAL (
    SELECT * FROM ops.sync_runs AS r
    -- What a push read back tells nothing of the pulls.
    WHERE r.source = wanted.source AND r.entity = wanted.entity AND r.cause <> 'push'
    ORDER BY r.started_at DESC
    LIMIT 1
) AS last ON true
CROSS JOIN LATERAL (
    SELECT
        count(*) AS scopes,
        count(*) FILTER (WHERE w.proof = 'incomplete') AS incomplete,
        count(*) FILTER (WHERE w.reason = 'denied') AS denied,
        min(w.proven_at) AS oldest_proof,
        count(*) FILTER (WHERE w.due_at <= :now) AS due,
        min(w.aged_from) FILTER (WHERE w.due_at <= :now) AS oldest_due
    FROM ops.watermarks AS w
    WHERE w.source = wanted.source AND w.entity = wanted.entity
) AS proofs
ORDER BY wanted.position
