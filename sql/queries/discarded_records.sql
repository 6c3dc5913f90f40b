-- The places of those rejected records that a person has discarded: the same defect, same bytes.
SELECT r.place
FROM unnest(
    CAST(:record_ids AS text []),
    CAST(:digests AS bytea []),
    CAST(:error_codes AS text [])
) WITH ORDINALITY AS r (record_id, digest, error_code, place)
WHERE EXISTS (
    SELECT 1
    FROM ops.quarantine AS kept
    WHERE
        kept.source = :source
        AND kept.entity = :entity
        AND kept.resolution LIKE 'discarded:%'
        AND kept.error_code = r.error_code
        AND kept.record_id IS NOT DISTINCT FROM r.record_id
        AND sha256(kept.payload_raw) = r.digest
)
