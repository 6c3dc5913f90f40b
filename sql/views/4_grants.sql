-- Who may read what. A role that the server does not have is left out; the next migrate looks again.
DO $$
BEGIN
    IF to_regrole('sync_writer') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA ops, warehouse TO sync_writer;
        GRANT SELECT, INSERT, UPDATE, DELETE
        ON ALL TABLES IN SCHEMA ops, warehouse TO sync_writer;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA ops, warehouse TO sync_writer;
        -- What was applied is for the owner of the schema to say.
        REVOKE INSERT, UPDATE, DELETE
        ON ops.schema_migrations, ops.published_views FROM sync_writer;
    END IF;
    IF to_regrole('sync_analyst') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA masking, masked, mart TO sync_analyst;
        GRANT SELECT ON ALL TABLES IN SCHEMA masked, mart TO sync_analyst;
        GRANT SELECT ON masking.rules TO sync_analyst;
        GRANT EXECUTE ON FUNCTION
        masking.mask_document(jsonb, bytea, text [], text, integer) TO sync_analyst;
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
