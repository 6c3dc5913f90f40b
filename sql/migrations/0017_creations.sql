-- A contact is not created of nothing but nulls: nobody could tell who that is.

CREATE OR REPLACE FUNCTION push.refusal(
    its_source text, its_entity text, its_id text, asked jsonb
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    allowed text := push.allowed(its_source, its_entity);
    known push.fields;
    spoken text := (SELECT a.version FROM push.apis AS a WHERE a.source = its_source);
    name text;
    value jsonb;
    may_be_made boolean := EXISTS (
        SELECT FROM push.fields AS f
        WHERE f.source = its_source AND f.entity = its_entity AND f.is_for_new
    );
    is_new boolean := may_be_made AND coalesce(its_id = 'new', false);
BEGIN
    IF allowed IS NULL THEN
        RETURN format(
            '%s %s cannot be updated; these can: %s',
            coalesce(quote_literal(its_source), 'nothing'),
            coalesce(quote_literal(its_entity), 'nothing'),
            (
                SELECT string_agg(DISTINCT f.source || ' ' || f.entity, ', ')
                FROM push.fields AS f
            )
        );
    END IF;
    IF asked IS NULL OR jsonb_typeof(asked) <> 'object' OR asked = '{}' THEN
        RETURN 'changes should be a JSON object of fields with their new values; allowed: ' || allowed;
    END IF;
    IF octet_length(asked::text) > 100000 THEN
        RETURN 'changes should be less than 100 kB';
    END IF;
    FOR name, value IN SELECT e.key, e.value FROM jsonb_each(asked) AS e LOOP
        SELECT f.* INTO known
        FROM push.fields AS f
        WHERE
            f.source = its_source
            AND f.entity = its_entity
            AND (f.api_versions IS NULL OR spoken IS NULL OR spoken = ANY (f.api_versions))
            AND (
                f.field = name
                OR (
                    right(f.field, 2) = '.*'
                    AND starts_with(name, left(f.field, -1))
                    AND length(name) >= length(f.field)
                )
            );
        IF NOT FOUND THEN
            RETURN format(
                '%s cannot be written in %s %s%s; allowed: %s',
                name, its_source, its_entity, coalesce(' (' || spoken || ')', ''), allowed
            );
        END IF;
        IF is_new AND NOT known.is_for_new THEN
            RETURN format(
                'a record cannot be created with %s; allowed: %s',
                name,
                (
                    SELECT string_agg(f.field || ' (' || f.said || ')', ', ' ORDER BY f.position)
                    FROM push.fields AS f
                    WHERE f.source = its_source AND f.entity = its_entity AND f.is_for_new
                )
            );
        END IF;
        IF value = 'null' AND known.is_clearable THEN
            CONTINUE;
        END IF;
        IF
            (known.json_type <> 'any' AND jsonb_typeof(value) <> known.json_type)
            OR (known.pattern IS NOT NULL AND value #>> '{}' !~ known.pattern)
            OR (known.words IS NOT NULL AND value #>> '{}' <> ALL (known.words))
            OR (known.field = 'birth_on' AND NOT push.is_day(value #>> '{}'))
        THEN
            RETURN format(
                '%s should be %s%s; allowed: %s',
                name, known.said, CASE WHEN known.is_clearable THEN ' or null' ELSE '' END, allowed
            );
        END IF;
    END LOOP;
    IF NOT is_new AND push.stored_record(its_source, its_entity, its_id) IS NULL THEN
        RETURN format(
            '%s %s has no record %s in the warehouse; allowed: the key of one that it has%s',
            its_source, its_entity, coalesce(quote_literal(its_id), 'without a key'),
            CASE WHEN may_be_made THEN ', or new' ELSE '' END
        );
    END IF;
    IF is_new AND jsonb_strip_nulls(asked) = '{}' THEN
        RETURN 'a record cannot be created of nulls alone; allowed: ' || allowed;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION push.refusal(text, text, text, jsonb) IS 'Why an update cannot be asked for, with what can be; null where it can';
