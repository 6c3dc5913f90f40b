-- Per contact: the communications that are stored as a whole, and how their list was last read.
SELECT
    wanted.contact_id,
    coalesce(stored.ids, '{}') AS ids,
    stored.newest_at,
    w.swept_at,
    coalesce(w.proof, 'incomplete') AS proof
FROM unnest(CAST(:contact_ids AS text [])) AS wanted (contact_id)
LEFT JOIN ops.watermarks AS w
    ON w.source = :source AND w.entity = :entity AND w.scope = wanted.contact_id
LEFT JOIN LATERAL (
    SELECT
        array_agg(c.communication_id) AS ids,
        max(c.source_created_at) AS newest_at
    FROM warehouse.communications AS c
    WHERE
        c.source = :source
        AND c.contact_id = wanted.contact_id
        AND c.raw_hash IS NOT NULL
        AND c.deleted_at IS NULL
) AS stored ON true
