-- What the API said last about reading these contacts.
UPDATE ops.contact_registry AS known
SET access = said.access
FROM unnest(CAST(:contact_ids AS text []), CAST(:access AS text [])) AS said (contact_id, access)
WHERE known.contact_id = said.contact_id AND known.access <> said.access
