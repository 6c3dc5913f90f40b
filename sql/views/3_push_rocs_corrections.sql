-- What ROCS knows better: the e-mail address and phone number of a contact, for CRM.COM. One row per
-- contact of CRM.COM that exactly one contact of ROCS names as its external id.
CREATE VIEW push.rocs_corrections WITH (security_barrier) AS
SELECT
    c.contact_id AS entity_id,
    min(r.email) AS email,
    min(r.phone) AS phone
FROM warehouse.contacts AS c
INNER JOIN warehouse.contacts AS r ON c.contact_id = r.external_id
WHERE
    c.source = 'crmcom'
    AND r.source = 'rocs'
    AND c.deleted_at IS NULL
    AND r.deleted_at IS NULL
GROUP BY c.contact_id
HAVING count(*) = 1;
COMMENT ON VIEW push.rocs_corrections IS 'Push model: e-mail addresses and phone numbers as ROCS has them, for CRM.COM';
COMMENT ON COLUMN push.rocs_corrections.entity_id IS 'The contact of CRM.COM';
COMMENT ON COLUMN push.rocs_corrections.email IS 'E-mail address at ROCS; null asks for nothing';
COMMENT ON COLUMN push.rocs_corrections.phone IS 'Phone number at ROCS; null asks for nothing';
