-- One row per person over CRM.COM and ROCS. The two sides are brought together in four passes;
-- in each, those who share a value pair up, one to one, and whoever is paired is out of the next.
-- Of several with the same value the one with the smallest id is paired, the others are left.
CREATE VIEW :mart.customer_360 WITH (security_barrier) AS
WITH people AS MATERIALIZED (
    SELECT
        source,
        contact_id,
        -- Unique over both systems; of two numbers the smaller one comes first.
        (source || lpad(length(contact_id)::text, 6, '0') || contact_id) COLLATE "C" AS place,
        -- An id of CRM.COM that the contact has, or names; and one of ROCS.
        CASE source WHEN 'crmcom' THEN contact_id ELSE external_id END AS crmcom_id,
        CASE source WHEN 'rocs' THEN contact_id ELSE external_id END AS rocs_id,
        type,
        status,
        email,
        phone,
        first_name,
        last_name,
        company_name,
        language,
        gender,
        birth_on,
        country,
        email_opt_out,
        sms_opt_out
    FROM :tables.contacts
    WHERE source IN ('crmcom', 'rocs') AND deleted_at IS NULL
),

keys AS MATERIALIZED (
    SELECT source, place, crmcom_id, rocs_id, email, phone FROM people
),

by_crmcom_id AS MATERIALIZED (
    SELECT
        crmcom_id AS value,
        min(place) FILTER (WHERE source = 'crmcom') AS crmcom_place,
        min(place) FILTER (WHERE source = 'rocs') AS rocs_place,
        count(*) - 2 AS others
    FROM keys
    WHERE crmcom_id IS NOT NULL
    GROUP BY crmcom_id
    HAVING
        count(*) FILTER (WHERE source = 'crmcom') > 0
        AND count(*) FILTER (WHERE source = 'rocs') > 0
),

left_by_crmcom_id AS MATERIALIZED (
    SELECT p.* FROM keys AS p
    WHERE
        NOT EXISTS (SELECT FROM by_crmcom_id AS m WHERE m.crmcom_place = p.place)
        AND NOT EXISTS (SELECT FROM by_crmcom_id AS m WHERE m.rocs_place = p.place)
),

by_rocs_id AS MATERIALIZED (
    SELECT
        rocs_id AS value,
        min(place) FILTER (WHERE source = 'crmcom') AS crmcom_place,
        min(place) FILTER (WHERE source = 'rocs') AS rocs_place,
        count(*) - 2 AS others
    FROM left_by_crmcom_id
    WHERE rocs_id IS NOT NULL
    GROUP BY rocs_id
    HAVING
        count(*) FILTER (WHERE source = 'crmcom') > 0
        AND count(*) FILTER (WHERE source = 'rocs') > 0
),

left_by_rocs_id AS MATERIALIZED (
    SELECT p.* FROM left_by_crmcom_id AS p
    WHERE
        NOT EXISTS (SELECT FROM by_rocs_id AS m WHERE m.crmcom_place = p.place)
        AND NOT EXISTS (SELECT FROM by_rocs_id AS m WHERE m.rocs_place = p.place)
),

by_email AS MATERIALIZED (
    SELECT
        email AS value,
        min(place) FILTER (WHERE source = 'crmcom') AS crmcom_place,
        min(place) FILTER (WHERE source = 'rocs') AS rocs_place,
        count(*) - 2 AS others
    FROM left_by_rocs_id
    WHERE email IS NOT NULL
    GROUP BY email
    HAVING
        count(*) FILTER (WHERE source = 'crmcom') > 0
        AND count(*) FILTER (WHERE source = 'rocs') > 0
),

left_by_email AS MATERIALIZED (
    SELECT p.* FROM left_by_rocs_id AS p
    WHERE
        NOT EXISTS (SELECT FROM by_email AS m WHERE m.crmcom_place = p.place)
        AND NOT EXISTS (SELECT FROM by_email AS m WHERE m.rocs_place = p.place)
),

by_phone AS MATERIALIZED (
    SELECT
        phone AS value,
        min(place) FILTER (WHERE source = 'crmcom') AS crmcom_place,
        min(place) FILTER (WHERE source = 'rocs') AS rocs_place,
        count(*) - 2 AS others
    FROM left_by_email
    WHERE phone IS NOT NULL
    GROUP BY phone
    HAVING
        count(*) FILTER (WHERE source = 'crmcom') > 0
        AND count(*) FILTER (WHERE source = 'rocs') > 0
),

alone AS MATERIALIZED (
    SELECT p.* FROM left_by_email AS p
    WHERE
        NOT EXISTS (SELECT FROM by_phone AS m WHERE m.crmcom_place = p.place)
        AND NOT EXISTS (SELECT FROM by_phone AS m WHERE m.rocs_place = p.place)
),

persons AS (
    SELECT crmcom_place, rocs_place, 'external_id' AS matched_by, others AS rivals
    FROM by_crmcom_id
    UNION ALL
    SELECT crmcom_place, rocs_place, 'external_id', others FROM by_rocs_id
    UNION ALL
    SELECT crmcom_place, rocs_place, 'email', others FROM by_email
    UNION ALL
    SELECT crmcom_place, rocs_place, 'phone', others FROM by_phone
    UNION ALL
    SELECT
        CASE a.source WHEN 'crmcom' THEN a.place END,
        CASE a.source WHEN 'rocs' THEN a.place END,
        NULL,
        -- Where it first lost a match to another one: all but itself.
        coalesce(c.others, r.others, e.others, p.others, -1) + 1
    FROM alone AS a
    LEFT JOIN by_crmcom_id AS c ON c.value = a.crmcom_id
    LEFT JOIN by_rocs_id AS r ON r.value = a.rocs_id
    LEFT JOIN by_email AS e ON e.value = a.email
    LEFT JOIN by_phone AS p ON p.value = a.phone
),

tenant_texts AS (
    SELECT DISTINCT
        t.tenant_name,
        lower(btrim(said #>> '{}')) AS value
    FROM :tables.tenants AS t
    CROSS JOIN LATERAL jsonb_path_query(
        jsonb_build_array(t.specifications, t.metadata),
        'strict $.** ? (@.type() == "string")'
    ) AS said
    WHERE t.deleted_at IS NULL
),

tenants_by_text AS MATERIALIZED (
    SELECT value, array_agg(tenant_name ORDER BY tenant_name COLLATE "C") AS names
    FROM tenant_texts
    GROUP BY value
)

SELECT
    c.contact_id AS crmcom_contact_id,
    r.contact_id AS rocs_contact_id,
    m.matched_by,
    m.rivals,
    array_remove(
        ARRAY[
            CASE WHEN c.email <> r.email THEN 'email' END,
            CASE WHEN c.phone <> r.phone THEN 'phone' END,
            CASE WHEN c.first_name <> r.first_name THEN 'first_name' END,
            CASE WHEN c.last_name <> r.last_name THEN 'last_name' END,
            CASE WHEN c.language <> r.language THEN 'language' END,
            CASE WHEN c.gender <> r.gender THEN 'gender' END,
            CASE WHEN c.birth_on <> r.birth_on THEN 'birth_on' END,
            CASE WHEN c.country <> r.country THEN 'country' END,
            CASE WHEN c.email_opt_out <> r.email_opt_out THEN 'email_opt_out' END,
            CASE WHEN c.sms_opt_out <> r.sms_opt_out THEN 'sms_opt_out' END
        ],
        NULL
    ) AS disagreements,
    coalesce(tc.names, '{}') || coalesce(tr.names, '{}') AS tenant_names,
    c.type AS crmcom_type,
    r.type AS rocs_type,
    c.status AS crmcom_status,
    r.status AS rocs_status,
    c.company_name AS crmcom_company_name,
    r.company_name AS rocs_company_name,
    c.email AS crmcom_email,
    r.email AS rocs_email,
    c.phone AS crmcom_phone,
    r.phone AS rocs_phone,
    c.first_name AS crmcom_first_name,
    r.first_name AS rocs_first_name,
    c.last_name AS crmcom_last_name,
    r.last_name AS rocs_last_name,
    c.language AS crmcom_language,
    r.language AS rocs_language,
    c.gender AS crmcom_gender,
    r.gender AS rocs_gender,
    c.birth_on AS crmcom_birth_on,
    r.birth_on AS rocs_birth_on,
    c.country AS crmcom_country,
    r.country AS rocs_country,
    c.email_opt_out AS crmcom_email_opt_out,
    r.email_opt_out AS rocs_email_opt_out,
    c.sms_opt_out AS crmcom_sms_opt_out,
    r.sms_opt_out AS rocs_sms_opt_out
FROM persons AS m
LEFT JOIN people AS c ON c.place = m.crmcom_place
LEFT JOIN people AS r ON r.place = m.rocs_place
LEFT JOIN tenants_by_text AS tc ON tc.value = c.email
LEFT JOIN tenants_by_text AS tr ON tr.value = r.email AND tr.value IS DISTINCT FROM c.email;

COMMENT ON VIEW :mart.customer_360 IS
'Persons over CRM.COM and ROCS with what both say of them, one row per person';
COMMENT ON COLUMN :mart.customer_360.crmcom_contact_id IS
'The contact of CRM.COM; null when ROCS alone knows the person';
COMMENT ON COLUMN :mart.customer_360.rocs_contact_id IS
'The contact of ROCS; null when CRM.COM alone knows the person';
COMMENT ON COLUMN :mart.customer_360.matched_by IS
'What brought the two together: external_id, else email, else phone; null for one alone';
COMMENT ON COLUMN :mart.customer_360.rivals IS
'How many further contacts share the value that decided; 0: nothing was ambiguous';
COMMENT ON COLUMN :mart.customer_360.disagreements IS
'Fields that both sides know and that differ; in mart, birth_on is compared by its year';
COMMENT ON COLUMN :mart.customer_360.tenant_names IS
'Tenants whose specifications or metadata hold the person''s e-mail address';
COMMENT ON COLUMN :mart.customer_360.crmcom_type IS
'What CRM.COM says: kind of contact';
COMMENT ON COLUMN :mart.customer_360.rocs_type IS
'What ROCS says: kind of contact';
COMMENT ON COLUMN :mart.customer_360.crmcom_status IS
'What CRM.COM says: status of the contact';
COMMENT ON COLUMN :mart.customer_360.rocs_status IS
'What ROCS says: status of the contact';
COMMENT ON COLUMN :mart.customer_360.crmcom_company_name IS
'What CRM.COM says: company name';
COMMENT ON COLUMN :mart.customer_360.rocs_company_name IS
'What ROCS says: company name';
COMMENT ON COLUMN :mart.customer_360.crmcom_email IS
'What CRM.COM says: e-mail address';
COMMENT ON COLUMN :mart.customer_360.rocs_email IS
'What ROCS says: e-mail address';
COMMENT ON COLUMN :mart.customer_360.crmcom_phone IS
'What CRM.COM says: phone number';
COMMENT ON COLUMN :mart.customer_360.rocs_phone IS
'What ROCS says: phone number';
COMMENT ON COLUMN :mart.customer_360.crmcom_first_name IS
'What CRM.COM says: first name';
COMMENT ON COLUMN :mart.customer_360.rocs_first_name IS
'What ROCS says: first name';
COMMENT ON COLUMN :mart.customer_360.crmcom_last_name IS
'What CRM.COM says: last name';
COMMENT ON COLUMN :mart.customer_360.rocs_last_name IS
'What ROCS says: last name';
COMMENT ON COLUMN :mart.customer_360.crmcom_language IS
'What CRM.COM says: preferred language';
COMMENT ON COLUMN :mart.customer_360.rocs_language IS
'What ROCS says: preferred language';
COMMENT ON COLUMN :mart.customer_360.crmcom_gender IS
'What CRM.COM says: gender';
COMMENT ON COLUMN :mart.customer_360.rocs_gender IS
'What ROCS says: gender';
COMMENT ON COLUMN :mart.customer_360.crmcom_birth_on IS
'What CRM.COM says: date of birth';
COMMENT ON COLUMN :mart.customer_360.rocs_birth_on IS
'What ROCS says: date of birth';
COMMENT ON COLUMN :mart.customer_360.crmcom_country IS
'What CRM.COM says: country';
COMMENT ON COLUMN :mart.customer_360.rocs_country IS
'What ROCS says: country';
COMMENT ON COLUMN :mart.customer_360.crmcom_email_opt_out IS
'What CRM.COM says: whether e-mails are refused';
COMMENT ON COLUMN :mart.customer_360.rocs_email_opt_out IS
'What ROCS says: whether e-mails are refused';
COMMENT ON COLUMN :mart.customer_360.crmcom_sms_opt_out IS
'What CRM.COM says: whether text messages are refused';
COMMENT ON COLUMN :mart.customer_360.rocs_sms_opt_out IS
'What ROCS says: whether text messages are refused';
