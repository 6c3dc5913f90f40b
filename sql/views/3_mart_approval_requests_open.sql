-- One row per approval request that waits for an answer.
CREATE VIEW :mart.approval_requests_open WITH (security_barrier) AS
SELECT
    r.source,
    r.approval_request_id,
    r.entity_type,
    r.entity_id,
    r.entity_reference,
    r.contact_id,
    c.first_name AS contact_first_name,
    c.last_name AS contact_last_name,
    c.company_name AS contact_company_name,
    c.email AS contact_email,
    c.phone AS contact_phone,
    c.language AS contact_language,
    (
        SELECT min(v.valid_from)
        FROM :tables.approval_requests_versions AS v
        WHERE v.source = r.source AND v.approval_request_id = r.approval_request_id
    ) AS first_seen_at
FROM :tables.approval_requests AS r
LEFT JOIN :tables.contacts AS c
    ON c.source = r.source AND c.contact_id = r.contact_id AND c.deleted_at IS NULL
WHERE r.state = 'PENDING' AND r.deleted_at IS NULL;

COMMENT ON VIEW :mart.approval_requests_open IS
'Approval requests that wait for an answer, with who is asked, one row per request';
COMMENT ON COLUMN :mart.approval_requests_open.source IS 'The system that the row comes from';
COMMENT ON COLUMN :mart.approval_requests_open.approval_request_id IS 'The request''s id';
COMMENT ON COLUMN :mart.approval_requests_open.entity_type IS
'Kind of thing to decide on, plural, for example ORDERS';
COMMENT ON COLUMN :mart.approval_requests_open.entity_id IS 'Id of the thing to decide on';
COMMENT ON COLUMN :mart.approval_requests_open.entity_reference IS
'Its reference, as people know it';
COMMENT ON COLUMN :mart.approval_requests_open.contact_id IS 'The contact that is asked';
COMMENT ON COLUMN :mart.approval_requests_open.contact_first_name IS 'Their first name';
COMMENT ON COLUMN :mart.approval_requests_open.contact_last_name IS 'Their last name';
COMMENT ON COLUMN :mart.approval_requests_open.contact_company_name IS 'Their company name';
COMMENT ON COLUMN :mart.approval_requests_open.contact_email IS 'Their e-mail address';
COMMENT ON COLUMN :mart.approval_requests_open.contact_phone IS 'Their phone number';
COMMENT ON COLUMN :mart.approval_requests_open.contact_language IS 'Their language';
COMMENT ON COLUMN :mart.approval_requests_open.first_seen_at IS
'When the request was first read; the source does not say when it was made';
