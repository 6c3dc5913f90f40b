-- By what to look for a contact of CRM.COM at another source.
SELECT
    (
        SELECT min(other.contact_id) FROM warehouse.contacts AS other
        WHERE other.source = :source AND other.external_id = :contact_id
    ) AS contact_id,
    known.email,
    known.phone
FROM (VALUES (1)) AS one (row)
LEFT JOIN warehouse.contacts AS known
    ON known.source = 'crmcom' AND known.contact_id = :contact_id
