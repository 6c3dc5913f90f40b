-- A release with other parameters would leave its function beside this one.
DO $$
DECLARE
    made regprocedure;
BEGIN
    FOR made IN SELECT oid FROM pg_proc WHERE pronamespace = 'masking'::regnamespace
    LOOP
        EXECUTE format('DROP FUNCTION %s', made);
    END LOOP;
END
$$;

-- The one function of the masked views. It runs with the reader's rights, so it gets the key from
-- the view, whose owner alone may read it, and what the reader's session has set must not bend it:
-- neither names that the reader made, nor plans printed with the key in them.
CREATE FUNCTION masking.mask_document(
    document jsonb, key bytea, plain_paths text [], path text, depth integer DEFAULT 0
) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET debug_print_plan = off
AS $$
DECLARE
    masked jsonb;
BEGIN
    IF depth > 100 THEN
        -- One document without end must not keep the others from being read.
        document := to_jsonb(document::text);
        path := NULL;
    END IF;
    CASE jsonb_typeof(document)
        WHEN 'object' THEN
            SELECT
                jsonb_object_agg(
                    -- A name of an open object may be a person's, too.
                    CASE
                        WHEN member.name ~ '@|[0-9]{5}' THEN masking.mask_document(
                            to_jsonb(member.name), key, '{}', NULL
                        ) #>> '{}'
                        ELSE member.name
                    END,
                    CASE jsonb_typeof(member.value)
                        WHEN 'boolean' THEN member.value
                        WHEN 'null' THEN member.value
                        ELSE masking.mask_document(
                            member.value,
                            key,
                            plain_paths,
                            CASE
                                WHEN strpos(member.name, '.') > 0 THEN NULL
                                WHEN path = '' THEN member.name
                                ELSE path || '.' || member.name
                            END,
                            depth + 1
                        )
                    END
                )
            INTO masked
            FROM jsonb_each(document) AS member (name, value);
            RETURN coalesce(masked, '{}');
        WHEN 'array' THEN
            SELECT
                jsonb_agg(
                    masking.mask_document(element.value, key, plain_paths, path, depth + 1)
                    ORDER BY element.position
                )
            INTO masked
            FROM jsonb_array_elements(document) WITH ORDINALITY AS element (value, position);
            RETURN coalesce(masked, '[]');
        WHEN 'string', 'number' THEN
            IF document = '""' OR coalesce(path = ANY (plain_paths), false) THEN
                RETURN document;
            END IF;
            RETURN to_jsonb('m_' || left(encode(sha256(key || sha256(convert_to(
                CASE
                    WHEN
                        strpos(document #>> '{}', '@') > 0
                        OR document #>> '{}' ~ '^\+[1-9][0-9]{6,14}$'
                        THEN 'address:' || lower(btrim(document #>> '{}'))
                    ELSE 'document:' || (document #>> '{}')
                END,
                'UTF8'
            ))), 'hex'), 32));
        ELSE
            RETURN document;
    END CASE;
END
$$;
COMMENT ON FUNCTION masking.mask_document(jsonb, bytea, text [], text, integer) IS
'The document with a pseudonym for every text and number in it, but for the paths that are shown as they are';
