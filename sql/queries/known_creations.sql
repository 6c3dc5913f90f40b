-- When the communications were created that are stored as a whole, by contact.
SELECT
    contact_id,
    communication_id,
    source_created_at
FROM warehouse.communications
WHERE
    source = :source
    AND contact_id = ANY(CAST(:contact_ids AS text []))
    AND raw_hash IS NOT NULL
    AND deleted_at IS NULL
    AND source_created_at IS NOT NULL
