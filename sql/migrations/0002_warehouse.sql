-- The synced tables: the current version of each row, and beside it the superseded ones.

CREATE TABLE warehouse.contacts (
    source text NOT NULL,
    contact_id text NOT NULL,
    code text,
    type text,
    status text,
    title text,
    first_name text,
    middle_name text,
    last_name text,
    company_name text,
    email text,
    phone text,
    phone_country text,
    language text,
    gender text,
    birth_on date,
    country text,
    email_opt_out boolean,
    sms_opt_out boolean,
    consent_state text,
    external_id text,
    organisation_id text,
    source_created_at timestamptz,
    source_updated_at timestamptz,
    attributes jsonb NOT NULL,
    raw_hash bytea,
    content_hash bytea NOT NULL,
    observed_at timestamptz NOT NULL,
    cause text NOT NULL,
    deleted_at timestamptz,
    run_id text NOT NULL,
    loaded_at timestamptz NOT NULL,
    PRIMARY KEY (source, contact_id)
);
CREATE INDEX contacts_by_email ON warehouse.contacts (email);
CREATE INDEX contacts_by_phone ON warehouse.contacts (phone);
COMMENT ON TABLE warehouse.contacts IS 'The people and companies of a source, one row per contact';
COMMENT ON COLUMN warehouse.contacts.source IS 'The system that the row comes from';
COMMENT ON COLUMN warehouse.contacts.contact_id IS 'The source''s id, opaque text';
COMMENT ON COLUMN warehouse.contacts.code IS 'The source''s human-readable code';
COMMENT ON COLUMN warehouse.contacts.type IS 'PERSON or COMPANY; an unknown value as it came';
COMMENT ON COLUMN warehouse.contacts.status IS 'The source''s status';
COMMENT ON COLUMN warehouse.contacts.title IS 'Form of address';
COMMENT ON COLUMN warehouse.contacts.first_name IS 'First name';
COMMENT ON COLUMN warehouse.contacts.middle_name IS 'Middle name';
COMMENT ON COLUMN warehouse.contacts.last_name IS 'Last name';
COMMENT ON COLUMN warehouse.contacts.company_name IS 'Company name';
COMMENT ON COLUMN warehouse.contacts.email IS 'E-mail address, lower case';
COMMENT ON COLUMN warehouse.contacts.phone IS 'Phone number in E.164';
COMMENT ON COLUMN warehouse.contacts.phone_country IS 'Country of the phone number, ISO 3166-1 alpha-2';
COMMENT ON COLUMN warehouse.contacts.language IS 'Preferred language, ISO 639-1';
COMMENT ON COLUMN warehouse.contacts.gender IS 'MALE, FEMALE or OTHER; an unknown value as it came';
COMMENT ON COLUMN warehouse.contacts.birth_on IS 'Date of birth; null when partial or impossible';
COMMENT ON COLUMN warehouse.contacts.country IS 'Country, ISO 3166-1 alpha-2';
COMMENT ON COLUMN warehouse.contacts.email_opt_out IS 'Whether e-mails are refused';
COMMENT ON COLUMN warehouse.contacts.sms_opt_out IS 'Whether text messages are refused';
COMMENT ON COLUMN warehouse.contacts.consent_state IS 'State of the person''s consent';
COMMENT ON COLUMN warehouse.contacts.external_id IS 'Id of the same person in another system';
COMMENT ON COLUMN warehouse.contacts.organisation_id IS 'Organisation that the contact belongs to';
COMMENT ON COLUMN warehouse.contacts.source_created_at IS 'When the source says it was created';
COMMENT ON COLUMN warehouse.contacts.source_updated_at IS 'When the source says it was last changed';
COMMENT ON COLUMN warehouse.contacts.attributes IS 'Every source field without a column, unaltered, and raw values that the columns could not keep';
COMMENT ON COLUMN warehouse.contacts.raw_hash IS 'Hash of the bytes received, to drop unchanged rows before parsing';
COMMENT ON COLUMN warehouse.contacts.content_hash IS 'Hash of the canonical content: decides what is a change';
COMMENT ON COLUMN warehouse.contacts.observed_at IS 'When the request was sent that first brought these values';
COMMENT ON COLUMN warehouse.contacts.cause IS 'Why this version came to be: source, push, normaliser, deleted or revived';
COMMENT ON COLUMN warehouse.contacts.deleted_at IS 'When its absence at the source was confirmed';
COMMENT ON COLUMN warehouse.contacts.run_id IS 'The run that wrote this version';
COMMENT ON COLUMN warehouse.contacts.loaded_at IS 'When this version was written';

CREATE TABLE warehouse.contacts_history (
    source text NOT NULL,
    contact_id text NOT NULL,
    code text,
    type text,
    status text,
    title text,
    first_name text,
    middle_name text,
    last_name text,
    company_name text,
    email text,
    phone text,
    phone_country text,
    language text,
    gender text,
    birth_on date,
    country text,
    email_opt_out boolean,
    sms_opt_out boolean,
    consent_state text,
    external_id text,
    organisation_id text,
    source_created_at timestamptz,
    source_updated_at timestamptz,
    attributes jsonb NOT NULL,
    content_hash bytea NOT NULL,
    cause text NOT NULL,
    deleted_at timestamptz,
    run_id text NOT NULL,
    loaded_at timestamptz NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL,
    PRIMARY KEY (source, contact_id, valid_from),
    CHECK (valid_from < valid_to)
);
COMMENT ON TABLE warehouse.contacts_history IS 'Superseded versions of warehouse.contacts';

CREATE VIEW warehouse.contacts_versions AS
SELECT
    source,
    contact_id,
    code,
    type,
    status,
    title,
    first_name,
    middle_name,
    last_name,
    company_name,
    email,
    phone,
    phone_country,
    language,
    gender,
    birth_on,
    country,
    email_opt_out,
    sms_opt_out,
    consent_state,
    external_id,
    organisation_id,
    source_created_at,
    source_updated_at,
    attributes,
    content_hash,
    cause,
    deleted_at,
    run_id,
    loaded_at,
    valid_from,
    valid_to
FROM warehouse.contacts_history
UNION ALL
SELECT
    source,
    contact_id,
    code,
    type,
    status,
    title,
    first_name,
    middle_name,
    last_name,
    company_name,
    email,
    phone,
    phone_country,
    language,
    gender,
    birth_on,
    country,
    email_opt_out,
    sms_opt_out,
    consent_state,
    external_id,
    organisation_id,
    source_created_at,
    source_updated_at,
    attributes,
    content_hash,
    cause,
    deleted_at,
    run_id,
    loaded_at,
    observed_at AS valid_from,
    NULL AS valid_to
FROM warehouse.contacts;
COMMENT ON VIEW warehouse.contacts_versions IS 'Every version of every row of warehouse.contacts, the current one with valid_to null';

CREATE TABLE warehouse.communications (
    source text NOT NULL,
    communication_id text NOT NULL,
    contact_id text,
    state text,
    channel text,
    is_viewed boolean,
    viewed_at timestamptz,
    is_archived boolean,
    clicked_at timestamptz,
    language text,
    sender text,
    recipient text,
    subject text,
    content text,
    plan_name text,
    source_created_at timestamptz,
    attributes jsonb NOT NULL,
    raw_hash bytea,
    content_hash bytea NOT NULL,
    observed_at timestamptz NOT NULL,
    cause text NOT NULL,
    deleted_at timestamptz,
    run_id text NOT NULL,
    loaded_at timestamptz NOT NULL,
    PRIMARY KEY (source, communication_id)
);
CREATE INDEX communications_by_contact ON warehouse.communications (source, contact_id);
COMMENT ON TABLE warehouse.communications IS 'Messages sent to contacts, one row per communication';
COMMENT ON COLUMN warehouse.communications.source IS 'The system that the row comes from';
COMMENT ON COLUMN warehouse.communications.communication_id IS 'The source''s id, opaque text';
COMMENT ON COLUMN warehouse.communications.contact_id IS 'The contact that it was sent to';
COMMENT ON COLUMN warehouse.communications.state IS 'PENDING, COMPLETED or REJECTED; an unknown value as it came';
COMMENT ON COLUMN warehouse.communications.channel IS 'EMAIL, SMS, INAPP or DEVICE; an unknown value as it came';
COMMENT ON COLUMN warehouse.communications.is_viewed IS 'Whether it was viewed';
COMMENT ON COLUMN warehouse.communications.viewed_at IS 'When it was viewed';
COMMENT ON COLUMN warehouse.communications.is_archived IS 'Whether it was archived';
COMMENT ON COLUMN warehouse.communications.clicked_at IS 'When a link in it was first clicked';
COMMENT ON COLUMN warehouse.communications.language IS 'Language it was sent in, ISO 639-1';
COMMENT ON COLUMN warehouse.communications.sender IS 'Sender';
COMMENT ON COLUMN warehouse.communications.recipient IS 'Address or number it was sent to';
COMMENT ON COLUMN warehouse.communications.subject IS 'Subject, verbatim';
COMMENT ON COLUMN warehouse.communications.content IS 'Content, verbatim';
COMMENT ON COLUMN warehouse.communications.plan_name IS 'Communication plan that it was created from';
COMMENT ON COLUMN warehouse.communications.source_created_at IS 'When the source says it was created';
COMMENT ON COLUMN warehouse.communications.attributes IS 'Every source field without a column, unaltered, and raw values that the columns could not keep';
COMMENT ON COLUMN warehouse.communications.raw_hash IS 'Hash of the bytes received, to drop unchanged rows before parsing';
COMMENT ON COLUMN warehouse.communications.content_hash IS 'Hash of the canonical content: decides what is a change';
COMMENT ON COLUMN warehouse.communications.observed_at IS 'When the request was sent that first brought these values';
COMMENT ON COLUMN warehouse.communications.cause IS 'Why this version came to be: source, push, normaliser, deleted or revived';
COMMENT ON COLUMN warehouse.communications.deleted_at IS 'When its absence at the source was confirmed';
COMMENT ON COLUMN warehouse.communications.run_id IS 'The run that wrote this version';
COMMENT ON COLUMN warehouse.communications.loaded_at IS 'When this version was written';

CREATE TABLE warehouse.communications_history (
    source text NOT NULL,
    communication_id text NOT NULL,
    contact_id text,
    state text,
    channel text,
    is_viewed boolean,
    viewed_at timestamptz,
    is_archived boolean,
    clicked_at timestamptz,
    language text,
    sender text,
    recipient text,
    subject text,
    content text,
    plan_name text,
    source_created_at timestamptz,
    attributes jsonb NOT NULL,
    content_hash bytea NOT NULL,
    cause text NOT NULL,
    deleted_at timestamptz,
    run_id text NOT NULL,
    loaded_at timestamptz NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL,
    PRIMARY KEY (source, communication_id, valid_from),
    CHECK (valid_from < valid_to)
);
COMMENT ON TABLE warehouse.communications_history IS 'Superseded versions of warehouse.communications';

CREATE VIEW warehouse.communications_versions AS
SELECT
    source,
    communication_id,
    contact_id,
    state,
    channel,
    is_viewed,
    viewed_at,
    is_archived,
    clicked_at,
    language,
    sender,
    recipient,
    subject,
    content,
    plan_name,
    source_created_at,
    attributes,
    content_hash,
    cause,
    deleted_at,
    run_id,
    loaded_at,
    valid_from,
    valid_to
FROM warehouse.communications_history
UNION ALL
SELECT
    source,
    communication_id,
    contact_id,
    state,
    channel,
    is_viewed,
    viewed_at,
    is_archived,
    clicked_at,
    language,
    sender,
    recipient,
    subject,
    content,
    plan_name,
    source_created_at,
    attributes,
    content_hash,
    cause,
    deleted_at,
    run_id,
    loaded_at,
    observed_at AS valid_from,
    NULL AS valid_to
FROM warehouse.communications;
COMMENT ON VIEW warehouse.communications_versions IS 'Every version of every row of warehouse.communications, the current one with valid_to null';

CREATE TABLE warehouse.tenants (
    source text NOT NULL,
    tenant_name text NOT NULL,
    tenant_id text,
    subscription_id text,
    display_name text,
    status_code integer,
    status text,
    step integer,
    is_running boolean,
    subscription_is_active boolean,
    plan text,
    started_at timestamptz,
    ends_at timestamptz,
    metadata jsonb,
    specifications jsonb,
    source_created_at timestamptz,
    source_updated_at timestamptz,
    attributes jsonb NOT NULL,
    raw_hash bytea,
    content_hash bytea NOT NULL,
    observed_at timestamptz NOT NULL,
    cause text NOT NULL,
    deleted_at timestamptz,
    run_id text NOT NULL,
    loaded_at timestamptz NOT NULL,
    PRIMARY KEY (source, tenant_name)
);
COMMENT ON TABLE warehouse.tenants IS 'Tenants of the product, one row per tenant';
COMMENT ON COLUMN warehouse.tenants.source IS 'The system that the row comes from';
COMMENT ON COLUMN warehouse.tenants.tenant_name IS 'Unique name, lower case';
COMMENT ON COLUMN warehouse.tenants.tenant_id IS 'The tenant''s id';
COMMENT ON COLUMN warehouse.tenants.subscription_id IS 'The subscription''s id';
COMMENT ON COLUMN warehouse.tenants.display_name IS 'Name to show';
COMMENT ON COLUMN warehouse.tenants.status_code IS 'The source''s status number';
COMMENT ON COLUMN warehouse.tenants.status IS 'The source''s name of that status';
COMMENT ON COLUMN warehouse.tenants.step IS 'Step of the life cycle: 1 creation, 2 activation, 3 deactivation, 4 deletion';
COMMENT ON COLUMN warehouse.tenants.is_running IS 'Whether the status is 4 (CreatedAsActive) or 7 (Active)';
COMMENT ON COLUMN warehouse.tenants.subscription_is_active IS 'The subscription''s own flag (payment), not the tenant''s';
COMMENT ON COLUMN warehouse.tenants.plan IS 'Name of the plan';
COMMENT ON COLUMN warehouse.tenants.started_at IS 'Start of the subscription';
COMMENT ON COLUMN warehouse.tenants.ends_at IS 'End of the subscription';
COMMENT ON COLUMN warehouse.tenants.metadata IS 'What the external system stored with the tenant';
COMMENT ON COLUMN warehouse.tenants.specifications IS 'Specifications with their values, as the source gives them';
COMMENT ON COLUMN warehouse.tenants.source_created_at IS 'When the source says it was created';
COMMENT ON COLUMN warehouse.tenants.source_updated_at IS 'When the source says the tenant''s record was last changed';
COMMENT ON COLUMN warehouse.tenants.attributes IS 'Every source field without a column, unaltered, and raw values that the columns could not keep';
COMMENT ON COLUMN warehouse.tenants.raw_hash IS 'Hash of the bytes received, to drop unchanged rows before parsing';
COMMENT ON COLUMN warehouse.tenants.content_hash IS 'Hash of the canonical content: decides what is a change';
COMMENT ON COLUMN warehouse.tenants.observed_at IS 'When the request was sent that first brought these values';
COMMENT ON COLUMN warehouse.tenants.cause IS 'Why this version came to be: source, push, normaliser, deleted or revived';
COMMENT ON COLUMN warehouse.tenants.deleted_at IS 'When its absence at the source was confirmed';
COMMENT ON COLUMN warehouse.tenants.run_id IS 'The run that wrote this version';
COMMENT ON COLUMN warehouse.tenants.loaded_at IS 'When this version was written';

CREATE TABLE warehouse.tenants_history (
    source text NOT NULL,
    tenant_name text NOT NULL,
    tenant_id text,
    subscription_id text,
    display_name text,
    status_code integer,
    status text,
    step integer,
    is_running boolean,
    subscription_is_active boolean,
    plan text,
    started_at timestamptz,
    ends_at timestamptz,
    metadata jsonb,
    specifications jsonb,
    source_created_at timestamptz,
    source_updated_at timestamptz,
    attributes jsonb NOT NULL,
    content_hash bytea NOT NULL,
    cause text NOT NULL,
    deleted_at timestamptz,
    run_id text NOT NULL,
    loaded_at timestamptz NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL,
    PRIMARY KEY (source, tenant_name, valid_from),
    CHECK (valid_from < valid_to)
);
COMMENT ON TABLE warehouse.tenants_history IS 'Superseded versions of warehouse.tenants';

CREATE VIEW warehouse.tenants_versions AS
SELECT
    source,
    tenant_name,
    tenant_id,
    subscription_id,
    display_name,
    status_code,
    status,
    step,
    is_running,
    subscription_is_active,
    plan,
    started_at,
    ends_at,
    metadata,
    specifications,
    source_created_at,
    source_updated_at,
    attributes,
    content_hash,
    cause,
    deleted_at,
    run_id,
    loaded_at,
    valid_from,
    valid_to
FROM warehouse.tenants_history
UNION ALL
SELECT
    source,
    tenant_name,
    tenant_id,
    subscription_id,
    display_name,
    status_code,
    status,
    step,
    is_running,
    subscription_is_active,
    plan,
    started_at,
    ends_at,
    metadata,
    specifications,
    source_created_at,
    source_updated_at,
    attributes,
    content_hash,
    cause,
    deleted_at,
    run_id,
    loaded_at,
    observed_at AS valid_from,
    NULL AS valid_to
FROM warehouse.tenants;
COMMENT ON VIEW warehouse.tenants_versions IS 'Every version of every row of warehouse.tenants, the current one with valid_to null';

-- A history column means what the column of its table means.
DO $$
DECLARE
    col record;
BEGIN
    FOR col IN
        SELECT
            target.relname AS relation,
            described.attname AS name,
            coalesce(
                (
                    SELECT col_description(origin.oid, a.attnum)
                    FROM pg_class AS origin
                    INNER JOIN pg_attribute AS a ON a.attrelid = origin.oid
                    WHERE
                        origin.relnamespace = 'warehouse'::regnamespace
                        AND origin.relname = regexp_replace(target.relname, '_(history|versions)$', '')
                        AND a.attname = described.attname
                ),
                CASE described.attname
                    WHEN 'valid_from' THEN 'When the request was sent that first brought this version'
                    WHEN 'valid_to' THEN 'When the request was sent that brought the next version; null for the current one'
                END
            ) AS comment
        FROM pg_class AS target
        INNER JOIN pg_attribute AS described ON described.attrelid = target.oid
        WHERE
            target.relnamespace = 'warehouse'::regnamespace
            AND target.relname ~ '_(history|versions)$'
            AND target.relkind IN ('r', 'v')
            AND described.attnum > 0
    LOOP
        EXECUTE format(
            'COMMENT ON COLUMN warehouse.%I.%I IS %L', col.relation, col.name, col.comment
        );
    END LOOP;
END
$$;
