-- Whether the fields that this release knows, or the settings name, are exactly these.
SELECT
    (
        SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY f.position), '[]')
        FROM push.fields AS f
        WHERE f.is_configured = :is_configured
    ) = CAST(:fields AS jsonb)
