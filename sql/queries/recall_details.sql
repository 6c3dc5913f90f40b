-- What is stored of these communications that only their own answers may have said. An instant of
-- more than 10^11 seconds is written in milliseconds, or it would be read as such.
SELECT
    c.communication_id,
    CAST(
        trim_scale(
            CASE WHEN epoch.seconds > 100000000000 THEN epoch.seconds * 1000 ELSE epoch.seconds END
        ) AS text
    ) AS created_on,
    CAST(c.attributes AS text) AS attributes
FROM warehouse.communications AS c
CROSS JOIN LATERAL extract(EPOCH FROM c.source_created_at) AS epoch (seconds)
WHERE c.source = :source AND c.communication_id = ANY(CAST(:record_ids AS text []))
