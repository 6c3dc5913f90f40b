-- Records that a proven reading did not name. Only one that began after the first absence was noted
-- makes a second: two that overlap may miss a row for one and the same reason. In another list's
-- reading the absence begins anew.
INSERT INTO ops.absences AS known (source, entity, record_id, scope, missed_at, noted_at)
SELECT
    :source,
    :entity,
    missed.record_id,
    missed.scope,
    missed.missed_at,
    :noted_at
FROM unnest(
    CAST(:record_ids AS text []), CAST(:scopes AS text []), CAST(:missed_at AS timestamptz [])
) AS missed (record_id, scope, missed_at)
ORDER BY missed.record_id
ON CONFLICT (source, entity, record_id) DO UPDATE SET
    scope = excluded.scope,
    missed_at = CASE WHEN known.scope = excluded.scope THEN known.missed_at ELSE excluded.missed_at END,
    noted_at = CASE WHEN known.scope = excluded.scope THEN known.noted_at ELSE excluded.noted_at END,
    missed_again_at = CASE WHEN known.scope = excluded.scope THEN excluded.missed_at END,
    confirmed_at = CASE WHEN known.scope = excluded.scope THEN known.confirmed_at END
WHERE
    excluded.missed_at > known.noted_at
    AND excluded.missed_at > coalesce(known.missed_again_at, known.missed_at)
