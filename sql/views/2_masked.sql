-- masked.<table>, its history and its versions: a view over each, by the rules of masking.rules.
-- A column without a rule stops the making, so that nothing new is shown by oversight.

DELETE FROM masking.rules;
INSERT INTO masking.rules (table_name, column_name, treatment, plain_paths) VALUES
('*', 'source', 'plain', '{}'),
('*', 'raw_hash', 'digest', '{}'),
('*', 'content_hash', 'digest', '{}'),
('*', 'observed_at', 'plain', '{}'),
('*', 'cause', 'plain', '{}'),
('*', 'deleted_at', 'plain', '{}'),
('*', 'run_id', 'plain', '{}'),
('*', 'loaded_at', 'plain', '{}'),
('*', 'valid_from', 'plain', '{}'),
('*', 'valid_to', 'plain', '{}'),
('contacts', 'contact_id', 'plain', '{}'),
('contacts', 'code', 'pseudonym', '{}'),
('contacts', 'type', 'plain', '{}'),
('contacts', 'status', 'plain', '{}'),
('contacts', 'title', 'pseudonym', '{}'),
('contacts', 'first_name', 'pseudonym', '{}'),
('contacts', 'middle_name', 'pseudonym', '{}'),
('contacts', 'last_name', 'pseudonym', '{}'),
('contacts', 'company_name', 'pseudonym', '{}'),
('contacts', 'email', 'address', '{}'),
('contacts', 'phone', 'address', '{}'),
('contacts', 'phone_country', 'plain', '{}'),
('contacts', 'language', 'plain', '{}'),
('contacts', 'gender', 'plain', '{}'),
('contacts', 'birth_on', 'year', '{}'),
('contacts', 'country', 'plain', '{}'),
('contacts', 'email_opt_out', 'plain', '{}'),
('contacts', 'sms_opt_out', 'plain', '{}'),
('contacts', 'consent_state', 'plain', '{}'),
('contacts', 'external_id', 'other_id', '{}'),
('contacts', 'organisation_id', 'plain', '{}'),
('contacts', 'source_created_at', 'plain', '{}'),
('contacts', 'source_updated_at', 'plain', '{}'),
('contacts', 'attributes', 'document', '{
    phone.type, phone.country_code, custom_fields.key, sourceType,
    contactAddresses.addressType, contactAddresses.sourceType,
    contactInterests.sourceType, organizationEmployees.sourceType,
    contactPermissions.channelType, contactPermissions.optinType,
    contactPermissions.permissionGroupType, contactPermissions.permissionType,
    contactPermissions.sourceType
}'),
('communications', 'communication_id', 'plain', '{}'),
('communications', 'contact_id', 'plain', '{}'),
('communications', 'state', 'plain', '{}'),
('communications', 'channel', 'plain', '{}'),
('communications', 'is_viewed', 'plain', '{}'),
('communications', 'viewed_at', 'plain', '{}'),
('communications', 'is_archived', 'plain', '{}'),
('communications', 'clicked_at', 'plain', '{}'),
('communications', 'language', 'plain', '{}'),
('communications', 'sender', 'address', '{}'),
('communications', 'recipient', 'address', '{}'),
('communications', 'subject', 'pseudonym', '{}'),
('communications', 'content', 'pseudonym', '{}'),
('communications', 'plan_name', 'plain', '{}'),
('communications', 'source_created_at', 'plain', '{}'),
('communications', 'attributes', 'document', '{campaignId}'),
('approval_requests', 'approval_request_id', 'plain', '{}'),
('approval_requests', 'contact_id', 'plain', '{}'),
('approval_requests', 'state', 'plain', '{}'),
('approval_requests', 'entity_type', 'plain', '{}'),
('approval_requests', 'entity_id', 'plain', '{}'),
('approval_requests', 'entity_reference', 'pseudonym', '{}'),
('approval_requests', 'attributes', 'document', '{}'),
-- A tenant is an organisation: its names are shown; what its people wrote is not.
('tenants', 'tenant_name', 'plain', '{}'),
('tenants', 'tenant_id', 'plain', '{}'),
('tenants', 'subscription_id', 'plain', '{}'),
('tenants', 'display_name', 'plain', '{}'),
('tenants', 'status_code', 'plain', '{}'),
('tenants', 'status', 'plain', '{}'),
('tenants', 'step', 'plain', '{}'),
('tenants', 'is_running', 'plain', '{}'),
('tenants', 'subscription_is_active', 'plain', '{}'),
('tenants', 'plan', 'plain', '{}'),
('tenants', 'started_at', 'plain', '{}'),
('tenants', 'ends_at', 'plain', '{}'),
('tenants', 'metadata', 'document', '{}'),
('tenants', 'specifications', 'document', '{
    systemName, displayName.en, displayName.ar, description.en, description.ar,
    validationFailureDescription.en, validationFailureDescription.ar, regularExpression
}'),
('tenants', 'source_created_at', 'plain', '{}'),
('tenants', 'source_updated_at', 'plain', '{}'),
('tenants', 'attributes', 'document', '{
    plan.id, plan.displayName, lastResetDate, lastLimitsResetDate
}'),
('tenant_events', 'event_id', 'plain', '{}'),
('tenant_events', 'tenant_name', 'plain', '{}'),
('tenant_events', 'kind', 'plain', '{}'),
('tenant_events', 'event', 'plain', '{}'),
('tenant_events', 'happened_at', 'plain', '{}'),
('tenant_events', 'received_at', 'plain', '{}'),
('tenant_events', 'repeats', 'plain', '{}'),
('tenant_events', 'repeated_at', 'plain', '{}'),
('tenant_events', 'processed_at', 'plain', '{}'),
('plans', 'plan', 'plain', '{}'),
('plans', 'display_name', 'plain', '{}'),
('plans', 'description', 'plain', '{}'),
('plans', 'tenancy_type', 'plain', '{}'),
('plans', 'display_order', 'plain', '{}'),
('plans', 'is_published', 'plain', '{}'),
('plans', 'is_subscribed', 'plain', '{}'),
('plans', 'is_locked_by_system', 'plain', '{}'),
('plans', 'prices', 'plain', '{}'),
('plans', 'attributes', 'document', '{tenancyType, tenancyTypeName}'),
('specifications', 'specification', 'plain', '{}'),
('specifications', 'display_name', 'plain', '{}'),
('specifications', 'description', 'plain', '{}'),
('specifications', 'is_required', 'plain', '{}'),
('specifications', 'is_user_editable', 'plain', '{}'),
('specifications', 'regular_expression', 'plain', '{}'),
('specifications', 'is_published', 'plain', '{}'),
('specifications', 'is_subscribed', 'plain', '{}'),
('specifications', 'attributes', 'document', '{
    displayName.ar, description.ar,
    validationFailureDescription.en, validationFailureDescription.ar
}'),
('contact_lists', 'list_id', 'plain', '{}'),
('contact_lists', 'display_name', 'plain', '{}'),
('contact_lists', 'description', 'pseudonym', '{}'),
('contact_lists', 'type', 'plain', '{}'),
('contact_lists', 'status', 'plain', '{}'),
('contact_lists', 'member_count', 'plain', '{}'),
('contact_lists', 'source_created_at', 'plain', '{}'),
('contact_lists', 'source_updated_at', 'plain', '{}'),
('contact_lists', 'attributes', 'document', '{}'),
('campaigns', 'campaign_id', 'plain', '{}'),
('campaigns', 'display_name', 'plain', '{}'),
('campaigns', 'status', 'plain', '{}'),
('campaigns', 'channel', 'plain', '{}'),
('campaigns', 'subject', 'pseudonym', '{}'),
('campaigns', 'sent_count', 'plain', '{}'),
('campaigns', 'delivered_count', 'plain', '{}'),
('campaigns', 'viewed_count', 'plain', '{}'),
('campaigns', 'clicked_count', 'plain', '{}'),
('campaigns', 'bounced_count', 'plain', '{}'),
('campaigns', 'unsubscribed_count', 'plain', '{}'),
('campaigns', 'started_at', 'plain', '{}'),
('campaigns', 'ended_at', 'plain', '{}'),
('campaigns', 'source_created_at', 'plain', '{}'),
('campaigns', 'source_updated_at', 'plain', '{}'),
('campaigns', 'attributes', 'document', '{}');

DO $$
DECLARE
    -- The key is asked for in the view itself: its owner may, the reader may not. A pseudonym is
    -- made of built-in functions alone, the same ones as in masking.mask_document.
    key constant text := '(SELECT s.key FROM masking.secret AS s)';
    pseudonym constant text :=
        '''m_'' || left(encode(sha256(' || key
        || ' || sha256(convert_to(%2$L || %1$s, ''UTF8''))), ''hex''), 32)';
    relation record;
    col record;
    shown text;
    shown_columns text [];
    remarks text [];
    remark text;
BEGIN
    FOR relation IN
        SELECT
            c.oid,
            c.relname AS name,
            regexp_replace(c.relname, '_(history|versions)$', '') AS table_name
        FROM pg_class AS c
        WHERE c.relnamespace = 'warehouse'::regnamespace AND c.relkind IN ('r', 'p', 'v')
        ORDER BY c.relname
    LOOP
        shown_columns := '{}';
        remarks := '{}';
        FOR col IN
            SELECT
                a.attname AS name,
                col_description(a.attrelid, a.attnum) AS comment,
                r.treatment,
                r.plain_paths
            FROM pg_attribute AS a
            LEFT JOIN masking.rules AS r
                ON r.column_name = a.attname AND r.table_name IN ('*', relation.table_name)
            WHERE a.attrelid = relation.oid AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum
        LOOP
            shown := format('t.%I', col.name);
            remark := '';
            CASE col.treatment
                WHEN 'plain' THEN NULL;
                WHEN 'pseudonym' THEN
                    shown := format(pseudonym, shown, col.name || ':');
                    remark := ', as a pseudonym';
                WHEN 'address' THEN
                    shown := format(pseudonym, format('lower(btrim(%s))', shown), 'address:');
                    remark := ', as a pseudonym, the same wherever the address stands';
                WHEN 'other_id' THEN
                    shown := format(
                        'CASE WHEN EXISTS (SELECT FROM warehouse.contacts AS o WHERE o.source = '
                        'CASE t.source WHEN ''rocs'' THEN ''crmcom'' ELSE ''rocs'' END '
                        'AND o.contact_id = %1$s) THEN %1$s ELSE %2$s END',
                        shown,
                        format(pseudonym, shown, col.name || ':')
                    );
                    remark := ', as a pseudonym where it is not the id of a contact known here';
                WHEN 'year' THEN
                    shown := format('date_trunc(''year'', %s::timestamp)::date', shown);
                    remark := ', as the first day of its year';
                WHEN 'document' THEN
                    shown := format(
                        'masking.mask_document(%s, %s, %L::text [], '''')',
                        shown, key, col.plain_paths
                    );
                    remark := ', with pseudonyms for its texts and numbers';
                WHEN 'digest' THEN
                    shown := format('sha256(%s || %s)', key, shown);
                    remark := ', hashed again with the key';
                ELSE
                    RAISE EXCEPTION 'warehouse.%.% has no rule in masking.rules',
                        relation.table_name, col.name
                        USING ERRCODE = 'undefined_object';
            END CASE;
            shown_columns := shown_columns || format('%s AS %I', shown, col.name);
            remarks := remarks || format(
                'COMMENT ON COLUMN masked.%I.%I IS %L',
                relation.name, col.name, col.comment || remark
            );
        END LOOP;
        EXECUTE format(
            'CREATE VIEW masked.%I WITH (security_barrier) AS SELECT %s FROM warehouse.%I AS t',
            relation.name, array_to_string(shown_columns, ', '), relation.name
        );
        EXECUTE format(
            'COMMENT ON VIEW masked.%I IS %L',
            relation.name, obj_description(relation.oid, 'pg_class') || ', persons masked'
        );
        FOREACH remark IN ARRAY remarks LOOP
            EXECUTE remark;
        END LOOP;
    END LOOP;
END
$$;
