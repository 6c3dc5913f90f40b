-- What is stored of these contacts under one name of their attributes.
SELECT
    c.contact_id,
    CAST(c.attributes -> :member AS text) AS member
FROM warehouse.contacts AS c
WHERE
    c.source = :source
    AND c.contact_id = ANY(CAST(:record_ids AS text []))
    AND jsonb_exists(c.attributes, :member)
