-- The CRM.COM ids that the contacts of another source carry; no id is longer than 1,000 bytes.
INSERT INTO ops.contact_registry AS known (contact_id, origin, first_seen_at, last_seen_at)
SELECT DISTINCT
    external_id,
    :source,
    CAST(:seen_at AS timestamptz),
    CAST(:seen_at AS timestamptz)
FROM warehouse.contacts
WHERE source = :source AND external_id IS NOT NULL AND octet_length(external_id) <= 1000 AND deleted_at IS NULL
ORDER BY external_id
ON CONFLICT (contact_id) DO UPDATE SET last_seen_at = excluded.last_seen_at
WHERE excluded.last_seen_at > known.last_seen_at
