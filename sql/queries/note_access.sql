-- What the API said last about reading these contacts; locked in one order everywhere.
WITH changed AS (
    SELECT known.contact_id, said.access
    FROM unnest(CAST(:contact_ids AS text []), CAST(:access AS text []))
        AS said (contact_id, access)
    INNER JOIN ops.contact_registry AS known ON known.contact_id = said.contact_id
    WHERE known.access <> said.access
    ORDER BY known.contact_id
    FOR UPDATE OF known
)

UPDATE ops.contact_registry AS known
SET access = changed.access
FROM changed
WHERE known.contact_id = changed.contact_id
