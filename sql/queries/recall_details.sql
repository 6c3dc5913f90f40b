-- What is stored of these communications that only their own answers say.
SELECT
    c.communication_id,
    CAST(trim_scale(extract(EPOCH FROM c.source_created_at)) AS text) AS created_on,
    (
        SELECT CAST(jsonb_object_agg(member.key, member.value) AS text)
        FROM jsonb_each(c.attributes) AS member
        WHERE member.key = ANY(CAST(:names AS text []))
    ) AS members
FROM warehouse.communications AS c
WHERE c.source = :source AND c.communication_id = ANY(CAST(:record_ids AS text []))
