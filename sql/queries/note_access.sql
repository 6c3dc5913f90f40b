-- What the API said last about reading these contacts, and when they were last seen to change;
-- locked in one order everywhere.
WITH changed AS (
    SELECT
        known.contact_id,
        coalesce(said.access, known.access) AS access,
        greatest(said.hinted_at, known.hinted_at) AS hinted_at
    FROM unnest(
        CAST(:contact_ids AS text []),
        CAST(:access AS text []),
        CAST(:hinted_at AS timestamptz [])
    ) AS said (contact_id, access, hinted_at)
    INNER JOIN ops.contact_registry AS known ON known.contact_id = said.contact_id
    WHERE
        known.access <> said.access
        OR said.hinted_at > coalesce(known.hinted_at, timestamptz '-infinity')
    ORDER BY known.contact_id
    FOR UPDATE OF known
)

UPDATE ops.contact_registry AS known
SET access = changed.access, hinted_at = changed.hinted_at
FROM changed
WHERE known.contact_id = changed.contact_id
