-- Whether the list of fields that may be written back is exactly this one.
SELECT
    (SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY f.position), '[]') FROM push.fields AS f)
    = CAST(:fields AS jsonb)
