-- The other streams' tables: approval requests, plans, specifications, contact lists, campaigns.

CREATE TABLE warehouse.approval_requests (
    source text NOT NULL,
    approval_request_id text NOT NULL,
    contact_id text,
    state text,
    entity_type text,
    entity_id text,
    entity_reference text,
    attributes jsonb NOT NULL,
    raw_hash bytea,
    content_hash bytea NOT NULL,
    observed_at timestamptz NOT NULL,
    cause text NOT NULL,
    deleted_at timestamptz,
    run_id text NOT NULL,
    loaded_at timestamptz NOT NULL,
    PRIMARY KEY (source, approval_request_id)
);
CREATE INDEX approval_requests_by_contact ON warehouse.approval_requests (source, contact_id);
COMMENT ON TABLE warehouse.approval_requests IS 'Decisions that contacts are asked for, one row per approval request';
COMMENT ON COLUMN warehouse.approval_requests.source IS 'The system that the row comes from';
COMMENT ON COLUMN warehouse.approval_requests.approval_request_id IS 'The source''s id, opaque text';
COMMENT ON COLUMN warehouse.approval_requests.contact_id IS 'The contact that is asked';
COMMENT ON COLUMN warehouse.approval_requests.state IS 'PENDING, APPROVED or REJECTED; an unknown value as it came';
COMMENT ON COLUMN warehouse.approval_requests.entity_type IS 'Kind of thing to decide on, plural: ORDERS, SERVICE_REQUESTS, REWARD_OFFERS, ORGANISATIONS; an unknown value as it came';
COMMENT ON COLUMN warehouse.approval_requests.entity_id IS 'Id of the thing to decide on';
COMMENT ON COLUMN warehouse.approval_requests.entity_reference IS 'Its reference, as people know it';
COMMENT ON COLUMN warehouse.approval_requests.attributes IS 'Every source field without a column, unaltered, and raw values that the columns could not keep';
COMMENT ON COLUMN warehouse.approval_requests.raw_hash IS 'Hash of the bytes received, to drop unchanged rows before parsing';
COMMENT ON COLUMN warehouse.approval_requests.content_hash IS 'Hash of the canonical content: decides what is a change';
COMMENT ON COLUMN warehouse.approval_requests.observed_at IS 'When the request was sent that first brought these values';
COMMENT ON COLUMN warehouse.approval_requests.cause IS 'Why this version came to be: source, push, normaliser, deleted or revived';
COMMENT ON COLUMN warehouse.approval_requests.deleted_at IS 'When its absence at the source was confirmed';
COMMENT ON COLUMN warehouse.approval_requests.run_id IS 'The run that wrote this version';
COMMENT ON COLUMN warehouse.approval_requests.loaded_at IS 'When this version was written';

CREATE TABLE warehouse.plans (
    source text NOT NULL,
    plan text NOT NULL,
    display_name text,
    description text,
    tenancy_type text,
    display_order integer,
    is_published boolean,
    is_subscribed boolean,
    is_locked_by_system boolean,
    prices jsonb,
    attributes jsonb NOT NULL,
    raw_hash bytea,
    content_hash bytea NOT NULL,
    observed_at timestamptz NOT NULL,
    cause text NOT NULL,
    deleted_at timestamptz,
    run_id text NOT NULL,
    loaded_at timestamptz NOT NULL,
    PRIMARY KEY (source, plan)
);
COMMENT ON TABLE warehouse.plans IS 'Plans that tenants can be on, one row per plan';
COMMENT ON COLUMN warehouse.plans.source IS 'The system that the row comes from';
COMMENT ON COLUMN warehouse.plans.plan IS 'The plan''s system name';
COMMENT ON COLUMN warehouse.plans.display_name IS 'Name that people see';
COMMENT ON COLUMN warehouse.plans.description IS 'What the plan is';
COMMENT ON COLUMN warehouse.plans.tenancy_type IS 'Unlimited, Limited or Planed; an unknown value as it came';
COMMENT ON COLUMN warehouse.plans.display_order IS 'Place among the plans that people see';
COMMENT ON COLUMN warehouse.plans.is_published IS 'Whether it can be chosen';
COMMENT ON COLUMN warehouse.plans.is_subscribed IS 'Whether anybody is on it';
COMMENT ON COLUMN warehouse.plans.is_locked_by_system IS 'Whether the system keeps it from being changed';
COMMENT ON COLUMN warehouse.plans.prices IS 'Its prices by cycle, as the source writes them';
COMMENT ON COLUMN warehouse.plans.attributes IS 'Every source field without a column, unaltered, and raw values that the columns could not keep';
COMMENT ON COLUMN warehouse.plans.raw_hash IS 'Hash of the bytes received, to drop unchanged rows before parsing';
COMMENT ON COLUMN warehouse.plans.content_hash IS 'Hash of the canonical content: decides what is a change';
COMMENT ON COLUMN warehouse.plans.observed_at IS 'When the request was sent that first brought these values';
COMMENT ON COLUMN warehouse.plans.cause IS 'Why this version came to be: source, push, normaliser, deleted or revived';
COMMENT ON COLUMN warehouse.plans.deleted_at IS 'When its absence at the source was confirmed';
COMMENT ON COLUMN warehouse.plans.run_id IS 'The run that wrote this version';
COMMENT ON COLUMN warehouse.plans.loaded_at IS 'When this version was written';

CREATE TABLE warehouse.specifications (
    source text NOT NULL,
    specification text NOT NULL,
    display_name text,
    description text,
    is_required boolean,
    is_user_editable boolean,
    regular_expression text,
    is_published boolean,
    is_subscribed boolean,
    attributes jsonb NOT NULL,
    raw_hash bytea,
    content_hash bytea NOT NULL,
    observed_at timestamptz NOT NULL,
    cause text NOT NULL,
    deleted_at timestamptz,
    run_id text NOT NULL,
    loaded_at timestamptz NOT NULL,
    PRIMARY KEY (source, specification)
);
COMMENT ON TABLE warehouse.specifications IS 'What tenants are asked for when they are created, one row per specification';
COMMENT ON COLUMN warehouse.specifications.source IS 'The system that the row comes from';
COMMENT ON COLUMN warehouse.specifications.specification IS 'The specification''s system name';
COMMENT ON COLUMN warehouse.specifications.display_name IS 'Name that people see, in English';
COMMENT ON COLUMN warehouse.specifications.description IS 'What is asked for, in English';
COMMENT ON COLUMN warehouse.specifications.is_required IS 'Whether a value is mandatory';
COMMENT ON COLUMN warehouse.specifications.is_user_editable IS 'Whether the tenant may change it';
COMMENT ON COLUMN warehouse.specifications.regular_expression IS 'What a value must match, verbatim';
COMMENT ON COLUMN warehouse.specifications.is_published IS 'Whether it is asked for';
COMMENT ON COLUMN warehouse.specifications.is_subscribed IS 'Whether a tenant has a value for it';
COMMENT ON COLUMN warehouse.specifications.attributes IS 'Every source field without a column, unaltered, and raw values that the columns could not keep';
COMMENT ON COLUMN warehouse.specifications.raw_hash IS 'Hash of the bytes received, to drop unchanged rows before parsing';
COMMENT ON COLUMN warehouse.specifications.content_hash IS 'Hash of the canonical content: decides what is a change';
COMMENT ON COLUMN warehouse.specifications.observed_at IS 'When the request was sent that first brought these values';
COMMENT ON COLUMN warehouse.specifications.cause IS 'Why this version came to be: source, push, normaliser, deleted or revived';
COMMENT ON COLUMN warehouse.specifications.deleted_at IS 'When its absence at the source was confirmed';
COMMENT ON COLUMN warehouse.specifications.run_id IS 'The run that wrote this version';
COMMENT ON COLUMN warehouse.specifications.loaded_at IS 'When this version was written';

CREATE TABLE warehouse.contact_lists (
    source text NOT NULL,
    list_id text NOT NULL,
    display_name text,
    description text,
    type text,
    status text,
    member_count integer,
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
    PRIMARY KEY (source, list_id)
);
COMMENT ON TABLE warehouse.contact_lists IS 'Lists that contacts are on, one row per list';
COMMENT ON COLUMN warehouse.contact_lists.source IS 'The system that the row comes from';
COMMENT ON COLUMN warehouse.contact_lists.list_id IS 'The source''s id, opaque text';
COMMENT ON COLUMN warehouse.contact_lists.display_name IS 'Name of the list';
COMMENT ON COLUMN warehouse.contact_lists.description IS 'What the list is for';
COMMENT ON COLUMN warehouse.contact_lists.type IS 'Kind of list, as it came';
COMMENT ON COLUMN warehouse.contact_lists.status IS 'State of the list, as it came';
COMMENT ON COLUMN warehouse.contact_lists.member_count IS 'How many contacts are on it, by the source''s count';
COMMENT ON COLUMN warehouse.contact_lists.source_created_at IS 'When the source says it was created';
COMMENT ON COLUMN warehouse.contact_lists.source_updated_at IS 'When the source says it was last changed';
COMMENT ON COLUMN warehouse.contact_lists.attributes IS 'Every source field without a column, unaltered, and raw values that the columns could not keep';
COMMENT ON COLUMN warehouse.contact_lists.raw_hash IS 'Hash of the bytes received, to drop unchanged rows before parsing';
COMMENT ON COLUMN warehouse.contact_lists.content_hash IS 'Hash of the canonical content: decides what is a change';
COMMENT ON COLUMN warehouse.contact_lists.observed_at IS 'When the request was sent that first brought these values';
COMMENT ON COLUMN warehouse.contact_lists.cause IS 'Why this version came to be: source, push, normaliser, deleted or revived';
COMMENT ON COLUMN warehouse.contact_lists.deleted_at IS 'When its absence at the source was confirmed';
COMMENT ON COLUMN warehouse.contact_lists.run_id IS 'The run that wrote this version';
COMMENT ON COLUMN warehouse.contact_lists.loaded_at IS 'When this version was written';

CREATE TABLE warehouse.campaigns (
    source text NOT NULL,
    campaign_id text NOT NULL,
    display_name text,
    status text,
    channel text,
    subject text,
    sent_count integer,
    delivered_count integer,
    viewed_count integer,
    clicked_count integer,
    bounced_count integer,
    unsubscribed_count integer,
    started_at timestamptz,
    ended_at timestamptz,
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
    PRIMARY KEY (source, campaign_id)
);
COMMENT ON TABLE warehouse.campaigns IS 'Campaigns with their statistics, one row per campaign';
COMMENT ON COLUMN warehouse.campaigns.source IS 'The system that the row comes from';
COMMENT ON COLUMN warehouse.campaigns.campaign_id IS 'The source''s id, opaque text';
COMMENT ON COLUMN warehouse.campaigns.display_name IS 'Name of the campaign';
COMMENT ON COLUMN warehouse.campaigns.status IS 'State of the campaign, as it came';
COMMENT ON COLUMN warehouse.campaigns.channel IS 'EMAIL, SMS, INAPP or DEVICE; an unknown value as it came';
COMMENT ON COLUMN warehouse.campaigns.subject IS 'Subject, verbatim';
COMMENT ON COLUMN warehouse.campaigns.sent_count IS 'Messages sent, by the source''s count';
COMMENT ON COLUMN warehouse.campaigns.delivered_count IS 'Messages delivered, by the source''s count';
COMMENT ON COLUMN warehouse.campaigns.viewed_count IS 'Messages viewed, by the source''s count';
COMMENT ON COLUMN warehouse.campaigns.clicked_count IS 'Messages clicked, by the source''s count';
COMMENT ON COLUMN warehouse.campaigns.bounced_count IS 'Messages that came back, by the source''s count';
COMMENT ON COLUMN warehouse.campaigns.unsubscribed_count IS 'Refusals that followed, by the source''s count';
COMMENT ON COLUMN warehouse.campaigns.started_at IS 'When it began';
COMMENT ON COLUMN warehouse.campaigns.ended_at IS 'When it ended';
COMMENT ON COLUMN warehouse.campaigns.source_created_at IS 'When the source says it was created';
COMMENT ON COLUMN warehouse.campaigns.source_updated_at IS 'When the source says it was last changed';
COMMENT ON COLUMN warehouse.campaigns.attributes IS 'Every source field without a column, unaltered, and raw values that the columns could not keep';
COMMENT ON COLUMN warehouse.campaigns.raw_hash IS 'Hash of the bytes received, to drop unchanged rows before parsing';
COMMENT ON COLUMN warehouse.campaigns.content_hash IS 'Hash of the canonical content: decides what is a change';
COMMENT ON COLUMN warehouse.campaigns.observed_at IS 'When the request was sent that first brought these values';
COMMENT ON COLUMN warehouse.campaigns.cause IS 'Why this version came to be: source, push, normaliser, deleted or revived';
COMMENT ON COLUMN warehouse.campaigns.deleted_at IS 'When its absence at the source was confirmed';
COMMENT ON COLUMN warehouse.campaigns.run_id IS 'The run that wrote this version';
COMMENT ON COLUMN warehouse.campaigns.loaded_at IS 'When this version was written';

-- Each with its history and the view of all versions, as the tables before them.
CREATE PROCEDURE pg_temp.add_history(name text, key text)
LANGUAGE plpgsql
AS $$
DECLARE
    history text := name || '_history';
    definitions text;
    kept text;
BEGIN
    SELECT
        string_agg(
            format(
                '%I %s%s',
                a.attname,
                format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
            ),
            ', ' ORDER BY a.attnum
        ),
        string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    INTO definitions, kept
    FROM pg_attribute AS a
    WHERE
        a.attrelid = format('warehouse.%I', name)::regclass
        AND a.attnum > 0
        AND a.attname NOT IN ('raw_hash', 'observed_at');
    EXECUTE format(
        'CREATE TABLE warehouse.%I (%s, valid_from timestamptz NOT NULL, '
        'valid_to timestamptz NOT NULL, PRIMARY KEY (source, %I, valid_from), '
        'CHECK (valid_from < valid_to))',
        history, definitions, key
    );
    EXECUTE format(
        'CREATE VIEW warehouse.%1$I AS '
        'SELECT %2$s, valid_from, valid_to FROM warehouse.%3$I '
        'UNION ALL SELECT %2$s, observed_at, NULL FROM warehouse.%4$I',
        name || '_versions', kept, history, name
    );
    EXECUTE format(
        'COMMENT ON TABLE warehouse.%I IS %L', history, 'Superseded versions of warehouse.' || name
    );
    EXECUTE format(
        'COMMENT ON VIEW warehouse.%I IS %L',
        name || '_versions',
        format(
            'Every version of every row of warehouse.%s, the current one with valid_to null', name
        )
    );
END
$$;
CALL pg_temp.add_history('approval_requests', 'approval_request_id');
CALL pg_temp.add_history('plans', 'plan');
CALL pg_temp.add_history('specifications', 'specification');
CALL pg_temp.add_history('contact_lists', 'list_id');
CALL pg_temp.add_history('campaigns', 'campaign_id');
DROP PROCEDURE pg_temp.add_history(text, text);

-- Their columns are described as the columns of the table, and as those of the first history.
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
                    SELECT col_description(a.attrelid, a.attnum)
                    FROM pg_attribute AS a
                    INNER JOIN pg_class AS origin ON origin.oid = a.attrelid
                    WHERE
                        origin.relnamespace = 'warehouse'::regnamespace
                        AND origin.relname = regexp_replace(target.relname, '_(history|versions)$', '')
                        AND a.attname = described.attname
                ),
                (
                    SELECT col_description(a.attrelid, a.attnum)
                    FROM pg_attribute AS a
                    WHERE
                        a.attrelid = 'warehouse.contacts_history'::regclass
                        AND a.attname = described.attname
                )
            ) AS comment
        FROM pg_class AS target
        INNER JOIN pg_attribute AS described ON described.attrelid = target.oid
        WHERE
            target.relnamespace = 'warehouse'::regnamespace
            AND target.relname ~ '_(history|versions)$'
            AND target.relkind IN ('r', 'v')
            AND described.attnum > 0
            AND col_description(target.oid, described.attnum) IS NULL
    LOOP
        EXECUTE format(
            'COMMENT ON COLUMN warehouse.%I.%I IS %L', col.relation, col.name, col.comment
        );
    END LOOP;
END
$$;

-- Contact ids may also come from another source's external ids.
COMMENT ON COLUMN ops.contact_registry.origin IS
'What named the id first: backoffice, rocs, file or asked';

-- The creation-time filter brings what is new between two readings of a whole list.
ALTER TABLE ops.watermarks ADD COLUMN swept_at timestamptz;
UPDATE ops.watermarks SET swept_at = read_at;
COMMENT ON COLUMN ops.watermarks.swept_at IS
'When the whole list was last read, proven or not; readings since then asked only for what is new';

-- What a run superseded is found at the end of a history, however long that has grown.
DO $$
DECLARE
    entity text;
BEGIN
    FOREACH entity IN ARRAY ARRAY[
        'contacts', 'communications', 'tenants', 'approval_requests', 'plans',
        'specifications', 'contact_lists', 'campaigns'
    ]
    LOOP
        EXECUTE format(
            'CREATE INDEX %I ON warehouse.%I USING brin (valid_to)',
            entity || '_history_by_end', entity || '_history'
        );
    END LOOP;
END
$$;

-- Rows that were loaded from a list alone: without a hash, the next reading asks for the rest.
UPDATE warehouse.communications SET raw_hash = NULL
WHERE source = 'crmcom' AND source_created_at IS NULL;
