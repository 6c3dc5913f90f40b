-- Who may read what. A role that the server does not have is left out; the next migrate looks again.
DO $$
BEGIN
    IF to_regrole('sync_writer') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA ops, warehouse, push TO sync_writer;
        GRANT SELECT, INSERT, UPDATE, DELETE
        ON ALL TABLES IN SCHEMA ops, warehouse, push TO sync_writer;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA ops, warehouse, push TO sync_writer;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA push TO sync_writer;
        -- What was applied is for the owner of the schema to say.
        REVOKE INSERT, UPDATE, DELETE
        ON ops.schema_migrations, ops.published_views, push.fields, push.states, push.transitions
        FROM sync_writer;
        DROP POLICY IF EXISTS the_pipeline_sees_all ON push.updates;
        CREATE POLICY the_pipeline_sees_all ON push.updates TO sync_writer USING (true);
    END IF;
    IF to_regrole('sync_analyst') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA masking, masked, mart TO sync_analyst;
        GRANT SELECT ON ALL TABLES IN SCHEMA masked, mart TO sync_analyst;
        GRANT SELECT ON masking.rules TO sync_analyst;
        GRANT EXECUTE ON FUNCTION
        masking.mask_document(jsonb, bytea, text [], text, integer) TO sync_analyst;
    END IF;
    IF to_regrole('sync_requester') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA push TO sync_requester;
        GRANT EXECUTE ON FUNCTION
        push.request_update(text, text, text, jsonb, jsonb) TO sync_requester;
        GRANT SELECT ON push.fields, push.states TO sync_requester;
        -- Without the base: what the warehouse holds is not for those who only ask for changes.
        GRANT SELECT (
            id, source, entity, entity_id, changes, requested_by, requested_at, status, attempts,
            next_attempt_at, error, decided_by, decided_at, superseded_by, superseded_changes, sent_at,
            created_id
        ) ON push.updates TO sync_requester;
        DROP POLICY IF EXISTS a_requester_sees_its_own ON push.updates;
        CREATE POLICY a_requester_sees_its_own ON push.updates FOR SELECT TO sync_requester
        USING (requested_by = session_user);
    END IF;
    IF to_regrole('sync_analyst_pii') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA masking, masked, mart, mart_pii, warehouse TO sync_analyst_pii;
        GRANT SELECT
        ON ALL TABLES IN SCHEMA masked, mart, mart_pii, warehouse TO sync_analyst_pii;
        GRANT SELECT ON masking.rules TO sync_analyst_pii;
        GRANT EXECUTE ON FUNCTION
        masking.mask_document(jsonb, bytea, text [], text, integer) TO sync_analyst_pii;
    END IF;
END
$$;

-- As newer servers have it: nobody plants a name where others look names up.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_namespace AS n
        WHERE n.nspname = 'public' AND pg_has_role(n.nspowner, 'USAGE')
    ) THEN
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;
END
$$;
