-- Ids to read. One that is known already is only seen again.
INSERT INTO ops.contact_registry AS known (contact_id, origin, first_seen_at, last_seen_at)
SELECT named.contact_id, :origin, :seen_at, :seen_at
FROM unnest(CAST(:contact_ids AS text [])) AS named (contact_id)
ON CONFLICT (contact_id) DO UPDATE SET last_seen_at = excluded.last_seen_at
WHERE excluded.last_seen_at > known.last_seen_at
