-- The views that were made, in which state they are, and from what.
SELECT
    schema_name,
    view_name,
    fingerprint,
    to_regclass(format('%I.%I', schema_name, view_name)) IS NOT NULL AS is_there
FROM ops.published_views
ORDER BY schema_name, view_name
