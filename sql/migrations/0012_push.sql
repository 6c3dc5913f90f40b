-- Customer updates on their way back: the outbox, what was sent, and what was written.

CREATE SCHEMA push;
COMMENT ON SCHEMA push IS 'Updates that go back to the sources: asked for, sent, and what came of them';

CREATE TABLE push.fields (
    source text NOT NULL,
    entity text NOT NULL,
    field text NOT NULL,
    json_type text NOT NULL CHECK (json_type IN ('string', 'boolean', 'object')),
    pattern text,
    words text [],
    is_clearable boolean NOT NULL,
    is_for_new boolean NOT NULL,
    api_versions text [],
    said text NOT NULL,
    position integer NOT NULL,
    PRIMARY KEY (source, entity, field)
);
COMMENT ON TABLE push.fields IS 'The fields that may be written back, as this release knows them';
COMMENT ON COLUMN push.fields.source IS 'crmcom, rocs or rosaas';
COMMENT ON COLUMN push.fields.entity IS 'The table whose records have the field';
COMMENT ON COLUMN push.fields.field IS 'The column, or what such a column would be called; .* at the end stands for any key';
COMMENT ON COLUMN push.fields.json_type IS 'The JSON type of its values: string, boolean or object';
COMMENT ON COLUMN push.fields.pattern IS 'The regular expression that a text has to match';
COMMENT ON COLUMN push.fields.words IS 'The only values that it takes, where they are few';
COMMENT ON COLUMN push.fields.is_clearable IS 'Whether null may be asked for';
COMMENT ON COLUMN push.fields.is_for_new IS 'Whether a record may be created with it';
COMMENT ON COLUMN push.fields.api_versions IS 'The versions of the API that have the field; null: all';
COMMENT ON COLUMN push.fields.said IS 'Which values it takes, in words';
COMMENT ON COLUMN push.fields.position IS 'Its place in the list that is told to a person';

CREATE TABLE push.apis (
    source text PRIMARY KEY,
    version text NOT NULL
);
COMMENT ON TABLE push.apis IS 'The version of each API that has several, as it is configured';
COMMENT ON COLUMN push.apis.source IS 'crmcom, rocs or rosaas';
COMMENT ON COLUMN push.apis.version IS 'The version, such as v2';

CREATE TABLE push.states (
    status text PRIMARY KEY,
    waits_for text CHECK (waits_for IN ('machine', 'person')),
    meaning text NOT NULL
);
COMMENT ON TABLE push.states IS 'The states that an update can be in';
COMMENT ON COLUMN push.states.status IS 'The state';
COMMENT ON COLUMN push.states.waits_for IS 'machine (it goes on by itself), person (somebody has to decide), or null: it is final';
COMMENT ON COLUMN push.states.meaning IS 'What it says of an update';
INSERT INTO push.states (status, waits_for, meaning) VALUES
('pending', 'machine', 'it is to be sent'),
('sending', 'machine', 'a worker has it; when that worker is gone, the next one looks before it sends'),
('rejected', 'machine', 'the API said no; it is sent again later'),
('held', 'person', 'it waits for approval'),
('conflict', 'person', 'the source holds another value than the one it was asked for by'),
('uncertain', 'person', 'it may have been applied, and no reading can tell'),
('dead', 'person', 'it was given up'),
('confirmed', NULL, 'read back, and equal'),
('delivered', NULL, 'accepted; the field cannot be read back'),
('superseded', NULL, 'fresher updates have all of its fields'),
('discarded', NULL, 'a person, or the policy for conflicts, dropped it'),
('declined', NULL, 'a person did not approve it');

CREATE TABLE push.transitions (
    from_status text NOT NULL,
    to_status text NOT NULL REFERENCES push.states,
    meaning text NOT NULL,
    PRIMARY KEY (from_status, to_status)
);
COMMENT ON TABLE push.transitions IS 'The steps that an update can take from one state to another; no other is possible';
COMMENT ON COLUMN push.transitions.from_status IS 'The state before; empty for a new update';
COMMENT ON COLUMN push.transitions.to_status IS 'The state after';
COMMENT ON COLUMN push.transitions.meaning IS 'What happened';
INSERT INTO push.transitions (from_status, to_status, meaning) VALUES
('', 'pending', 'asked for'),
('', 'held', 'planned by a model that is not automatic'),
('pending', 'sending', 'a worker took it'),
('pending', 'superseded', 'fresher updates have all of its fields'),
('pending', 'discarded', 'a person dropped it'),
('rejected', 'sending', 'a worker took it again'),
('rejected', 'pending', 'a person had it sent again at once'),
('rejected', 'superseded', 'fresher updates have all of its fields'),
('rejected', 'discarded', 'a person dropped it'),
('sending', 'confirmed', 'read back, and equal'),
('sending', 'delivered', 'accepted; the field cannot be read back'),
('sending', 'rejected', 'the API said no'),
('sending', 'pending', 'nothing was applied: it is to be sent (again)'),
('sending', 'conflict', 'the source holds another value than the one it was asked for by'),
('sending', 'uncertain', 'no answer came, and no reading can tell'),
('sending', 'dead', 'the API said no too often, or for good'),
('sending', 'superseded', 'nothing was applied, and fresher updates have all of its fields'),
('sending', 'discarded', 'the policy for conflicts keeps what the source holds'),
('held', 'pending', 'a person approved it'),
('held', 'declined', 'a person did not approve it'),
('held', 'superseded', 'fresher updates have all of its fields'),
('held', 'discarded', 'a person dropped it'),
('conflict', 'pending', 'a person had it sent over what the source holds'),
('conflict', 'superseded', 'fresher updates have all of its fields'),
('conflict', 'discarded', 'a person dropped it'),
('uncertain', 'pending', 'a person had it looked at and sent again'),
('uncertain', 'superseded', 'fresher updates have all of its fields'),
('uncertain', 'discarded', 'a person dropped it'),
('dead', 'pending', 'a person had it sent again'),
('dead', 'superseded', 'fresher updates have all of its fields'),
('dead', 'discarded', 'a person dropped it');

CREATE TABLE push.updates (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    entity text NOT NULL,
    entity_id text NOT NULL,
    changes jsonb NOT NULL,
    base jsonb NOT NULL,
    base_at timestamptz NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    status text NOT NULL REFERENCES push.states,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    error text,
    decided_by text,
    decided_at timestamptz,
    superseded_by jsonb NOT NULL DEFAULT '{}',
    sending_since timestamptz,
    claimed_by text,
    sent_at timestamptz,
    created_id text,
    model text,
    -- Each record that is to be created is one of its own.
    record text NOT NULL GENERATED ALWAYS AS (
        source || '/' || entity || '/' || entity_id
        || CASE WHEN entity_id = 'new' THEN '#' || id ELSE '' END
    ) STORED,
    CONSTRAINT changes_are_an_object CHECK (jsonb_typeof(changes) = 'object'),
    CONSTRAINT base_is_an_object CHECK (jsonb_typeof(base) = 'object'),
    CONSTRAINT nothing_is_left_when_superseded CHECK (
        (status = 'superseded') = (changes = '{}')
    ),
    CONSTRAINT claimed_while_sending CHECK (claimed_by IS NULL OR status = 'sending')
);
CREATE INDEX updates_by_record ON push.updates (record, id);
CREATE INDEX updates_waiting ON push.updates (id) WHERE status IN ('pending', 'sending', 'rejected');
CREATE INDEX updates_for_a_person ON push.updates (id)
WHERE status IN ('held', 'conflict', 'uncertain', 'dead');
COMMENT ON TABLE push.updates IS 'The outbox: one row per update that was asked for';
COMMENT ON COLUMN push.updates.id IS 'Number to name the update by; of two updates of a record the one with the greater number is the fresher';
COMMENT ON COLUMN push.updates.source IS 'crmcom, rocs or rosaas';
COMMENT ON COLUMN push.updates.entity IS 'The table that the record is in';
COMMENT ON COLUMN push.updates.entity_id IS 'The record''s key there; new: a record is to be created';
COMMENT ON COLUMN push.updates.changes IS 'The fields with the values that they are to get, without those that fresher updates took';
COMMENT ON COLUMN push.updates.base IS 'The values of those fields that the update was asked for by; where the source holds another one, the policy for conflicts decides';
COMMENT ON COLUMN push.updates.base_at IS 'When the source was seen to hold the base (the request''s own time where the base came with it)';
COMMENT ON COLUMN push.updates.requested_by IS 'The login that asked for it';
COMMENT ON COLUMN push.updates.requested_at IS 'When it was asked for';
COMMENT ON COLUMN push.updates.status IS 'Its state, one of push.states';
COMMENT ON COLUMN push.updates.attempts IS 'How often a worker took it';
COMMENT ON COLUMN push.updates.next_attempt_at IS 'Not to be taken before; null: at once';
COMMENT ON COLUMN push.updates.error IS 'Why it is in its state, in words; never a value of a record';
COMMENT ON COLUMN push.updates.decided_by IS 'Who approved, declined, discarded or retried it last';
COMMENT ON COLUMN push.updates.decided_at IS 'When that was';
COMMENT ON COLUMN push.updates.superseded_by IS 'The fields that fresher updates took, each with the number of that update';
COMMENT ON COLUMN push.updates.sending_since IS 'When a worker took it last';
COMMENT ON COLUMN push.updates.claimed_by IS 'The worker that has it';
COMMENT ON COLUMN push.updates.sent_at IS 'When it was sent last, or may have been; null: certainly never';
COMMENT ON COLUMN push.updates.created_id IS 'The id that the source gave to the record that was created';
COMMENT ON COLUMN push.updates.model IS 'The push model that planned it';
COMMENT ON COLUMN push.updates.record IS 'The record in one word';

CREATE TABLE push.deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    update_id bigint NOT NULL REFERENCES push.updates ON DELETE CASCADE,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at timestamptz,
    request jsonb,
    answer_status integer,
    before jsonb,
    after jsonb,
    outcome text NOT NULL
);
CREATE INDEX deliveries_by_update ON push.deliveries (update_id, id);
CREATE INDEX deliveries_by_age ON push.deliveries (noted_at);
COMMENT ON TABLE push.deliveries IS 'Every attempt at an update; holds personal data';
COMMENT ON COLUMN push.deliveries.id IS 'Number to name the attempt by';
COMMENT ON COLUMN push.deliveries.update_id IS 'The update, in push.updates';
COMMENT ON COLUMN push.deliveries.noted_at IS 'When its outcome was written down';
COMMENT ON COLUMN push.deliveries.sent_at IS 'When the request was sent; null: none was';
COMMENT ON COLUMN push.deliveries.request IS 'The request: method, path and body';
COMMENT ON COLUMN push.deliveries.answer_status IS 'The HTTP status of the answer; null: none came';
COMMENT ON COLUMN push.deliveries.before IS 'What the source held of the fields before, in the form of the warehouse';
COMMENT ON COLUMN push.deliveries.after IS 'What it held afterwards';
COMMENT ON COLUMN push.deliveries.outcome IS 'What came of the attempt';

CREATE TABLE push.ledger (
    source text NOT NULL,
    entity text NOT NULL,
    entity_id text NOT NULL,
    field text NOT NULL,
    value_hash bytea NOT NULL,
    written_at timestamptz NOT NULL,
    update_id bigint NOT NULL,
    PRIMARY KEY (source, entity, entity_id, field)
);
COMMENT ON TABLE push.ledger IS 'What was written last to each field of a record, as a hash: so the pipeline knows its own writes when it reads them';
COMMENT ON COLUMN push.ledger.source IS 'crmcom, rocs or rosaas';
COMMENT ON COLUMN push.ledger.entity IS 'The table that the record is in';
COMMENT ON COLUMN push.ledger.entity_id IS 'The record''s key there';
COMMENT ON COLUMN push.ledger.field IS 'The field';
COMMENT ON COLUMN push.ledger.value_hash IS 'push.value_hash of the value that the source holds since then, in the form of the warehouse';
COMMENT ON COLUMN push.ledger.written_at IS 'When it was written, or read back';
COMMENT ON COLUMN push.ledger.update_id IS 'The update that wrote it';

CREATE TABLE push.proposals (
    model text NOT NULL,
    source text NOT NULL,
    entity text NOT NULL,
    entity_id text NOT NULL,
    field text NOT NULL,
    value_hash bytea NOT NULL,
    update_id bigint,
    proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (model, source, entity, entity_id, field)
);
COMMENT ON TABLE push.proposals IS 'What each push model last had for a field, asked for or found in agreement; only what differs from it is asked for';
COMMENT ON COLUMN push.proposals.model IS 'The view in push that is the model';
COMMENT ON COLUMN push.proposals.source IS 'crmcom, rocs or rosaas';
COMMENT ON COLUMN push.proposals.entity IS 'The table that the record is in';
COMMENT ON COLUMN push.proposals.entity_id IS 'The record''s key there';
COMMENT ON COLUMN push.proposals.field IS 'The field';
COMMENT ON COLUMN push.proposals.value_hash IS 'push.value_hash of the model''s value';
COMMENT ON COLUMN push.proposals.update_id IS 'The update that asks for it; null: the source held it already';
COMMENT ON COLUMN push.proposals.proposed_at IS 'When that was';

-- Every name in these two is qualified instead of a search_path of their own, with which they
-- would not become a part of the statements that call them for each row.
CREATE FUNCTION push.value_hash(value jsonb) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT pg_catalog.sha256(pg_catalog.convert_to(value::pg_catalog.text, 'UTF8'));
$$;
COMMENT ON FUNCTION push.value_hash(jsonb) IS 'The hash by which a value is known again';

CREATE FUNCTION push.lock_key(record text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT pg_catalog.hashtextextended(record, 7301944205118203);
$$;
COMMENT ON FUNCTION push.lock_key(text) IS 'The advisory lock that the worker holds who sends updates of a record';

-- The one place that decides who goes before whom: an update that waits for the machine has no
-- field that a fresher one has, or has sent; and takes no step that push.transitions lacks.
CREATE FUNCTION push.keep_to_the_rules() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken jsonb;
    before text := CASE TG_OP WHEN 'UPDATE' THEN OLD.status ELSE '' END;
BEGIN
    IF
        TG_OP = 'UPDATE'
        AND (NEW.status IN ('pending', 'rejected') OR (NEW.status = 'sending' AND before <> 'sending'))
    THEN
        SELECT jsonb_object_agg(asked.field, fresher.id ORDER BY fresher.id) INTO taken
        FROM push.updates AS fresher
        CROSS JOIN jsonb_object_keys(NEW.changes) AS asked (field)
        WHERE
            fresher.record = OLD.record
            AND fresher.id > OLD.id
            AND (fresher.status IN ('pending', 'sending', 'rejected') OR fresher.sent_at IS NOT NULL)
            AND (fresher.changes || fresher.superseded_by) ? asked.field;
        IF taken IS NOT NULL THEN
            NEW.superseded_by := NEW.superseded_by || taken;
            NEW.changes := NEW.changes - ARRAY(SELECT jsonb_object_keys(taken));
            NEW.base := NEW.base - ARRAY(SELECT jsonb_object_keys(taken));
            IF NEW.changes = '{}' THEN
                NEW.status := 'superseded';
            END IF;
        END IF;
    END IF;
    IF
        NEW.status <> before
        AND NOT EXISTS (
            SELECT FROM push.transitions AS step
            WHERE step.from_status = before AND step.to_status = NEW.status
        )
    THEN
        RAISE check_violation USING MESSAGE = format(
            'an update cannot go from %s to %s', coalesce(nullif(before, ''), 'nothing'), NEW.status
        );
    END IF;
    IF NEW.status <> 'sending' THEN
        NEW.claimed_by := NULL;
    END IF;
    IF NEW.status NOT IN ('pending', 'sending', 'rejected') THEN
        NEW.next_attempt_at := NULL;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION push.keep_to_the_rules() IS 'Holds an update to push.transitions, and takes the fields from it that fresher updates have';
CREATE TRIGGER keep_to_the_rules BEFORE INSERT OR UPDATE ON push.updates
FOR EACH ROW EXECUTE FUNCTION push.keep_to_the_rules();

CREATE FUNCTION push.supersede_older() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- The rule itself is applied to each of them as it is touched.
    UPDATE push.updates AS older
    SET superseded_by = older.superseded_by
    WHERE
        older.record = NEW.record
        AND older.id < NEW.id
        AND older.status IN ('pending', 'rejected')
        AND older.changes ?| ARRAY(SELECT jsonb_object_keys(NEW.changes));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION push.supersede_older() IS 'Lets older updates that wait for the machine lose the fields of this one';
CREATE TRIGGER supersede_older AFTER INSERT OR UPDATE OF status ON push.updates
FOR EACH ROW WHEN (NEW.status = 'pending') EXECUTE FUNCTION push.supersede_older();

CREATE FUNCTION push.stored_record(its_source text, its_entity text, its_id text) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT
        CASE its_entity
            WHEN 'contacts' THEN (
                SELECT to_jsonb(c) FROM warehouse.contacts AS c
                WHERE c.source = its_source AND c.contact_id = its_id AND c.deleted_at IS NULL
            )
            WHEN 'communications' THEN (
                SELECT to_jsonb(c) FROM warehouse.communications AS c
                WHERE c.source = its_source AND c.communication_id = its_id AND c.deleted_at IS NULL
            )
            WHEN 'approval_requests' THEN (
                SELECT to_jsonb(r) FROM warehouse.approval_requests AS r
                WHERE
                    r.source = its_source AND r.approval_request_id = its_id AND r.deleted_at IS NULL
            )
            WHEN 'tenants' THEN (
                SELECT to_jsonb(t) FROM warehouse.tenants AS t
                WHERE t.source = its_source AND t.tenant_name = its_id AND t.deleted_at IS NULL
            )
        END;
$$;
COMMENT ON FUNCTION push.stored_record(text, text, text) IS 'What the warehouse holds of a record that is there; null where it is not';

CREATE FUNCTION push.value_in(record jsonb, field text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT
        coalesce(
            CASE
                WHEN starts_with(field, 'attributes.custom_fields.') THEN (
                    SELECT own.entry -> 'value'
                    FROM jsonb_path_query(
                        record, '$.attributes.custom_fields[*]'
                    ) WITH ORDINALITY AS own (entry, place)
                    WHERE own.entry ->> 'key' = substr(field, length('attributes.custom_fields.') + 1)
                    ORDER BY own.place LIMIT 1
                )
                ELSE record -> field
            END,
            'null'
        );
$$;
COMMENT ON FUNCTION push.value_in(jsonb, text) IS 'The value of a field in a record of the warehouse; JSON null where it has none';

CREATE FUNCTION push.allowed(its_source text, its_entity text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(f.field || ' (' || f.said || ')', ', ' ORDER BY f.position)
    FROM push.fields AS f
    LEFT JOIN push.apis AS a ON f.source = a.source
    WHERE
        f.source = its_source
        AND f.entity = its_entity
        AND (f.api_versions IS NULL OR a.version IS NULL OR a.version = any(f.api_versions));
$$;
COMMENT ON FUNCTION push.allowed(text, text) IS 'The fields of a stream that may be asked for, in words; null where there are none';

CREATE FUNCTION push.refusal(
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
    is_new boolean := coalesce(its_id = 'new', false);
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
            CONTINUE;  -- there is no such record: said below
        END IF;
        IF value = 'null' AND known.is_clearable THEN
            CONTINUE;
        END IF;
        IF
            jsonb_typeof(value) <> known.json_type
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
    IF
        (is_new AND NOT known.is_for_new)
        OR (NOT is_new AND push.stored_record(its_source, its_entity, its_id) IS NULL)
    THEN
        RETURN format(
            '%s %s has no record %s in the warehouse; allowed: the key of one that it has%s',
            its_source, its_entity, coalesce(quote_literal(its_id), 'without a key'),
            CASE WHEN known.is_for_new THEN ', or new' ELSE '' END
        );
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION push.refusal(text, text, text, jsonb) IS 'Why an update cannot be asked for, with what can be; null where it can';

CREATE FUNCTION push.is_day(written text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN make_date(
        split_part(written, '-', 1)::integer,
        split_part(written, '-', 2)::integer,
        split_part(written, '-', 3)::integer
    ) IS NOT NULL;
EXCEPTION
    WHEN datetime_field_overflow THEN
        RETURN false;
END
$$;
COMMENT ON FUNCTION push.is_day(text) IS 'Whether a text of year, month and day names a day that there is';

CREATE FUNCTION push.request_update(
    source text, entity text, entity_id text, changes jsonb, base jsonb DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    refused text := push.refusal($1, $2, $3, $4);
    record jsonb;
    made bigint;
BEGIN
    IF refused IS NOT NULL THEN
        RAISE invalid_parameter_value USING MESSAGE = refused;
    END IF;
    IF
        $5 IS NOT NULL
        AND (jsonb_typeof($5) <> 'object' OR NOT $4 ?& ARRAY(
            SELECT jsonb_object_keys(CASE jsonb_typeof($5) WHEN 'object' THEN $5 ELSE '{}' END)
        ))
    THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'base should be a JSON object of values of the fields in changes; allowed: '
            || (SELECT string_agg(f.name, ', ') FROM jsonb_object_keys($4) AS f (name));
    END IF;
    record := push.stored_record($1, $2, $3);
    INSERT INTO push.updates (
        source, entity, entity_id, changes, base, base_at, requested_by, status
    )
    SELECT
        $1,
        $2,
        $3,
        $4,
        jsonb_object_agg(f.name, push.value_in(record, f.name)) || coalesce($5, '{}'),
        CASE
            WHEN $5 IS NULL THEN coalesce((record ->> 'observed_at')::timestamptz, clock_timestamp())
            ELSE clock_timestamp()
        END,
        -- SET ROLE does not change it.
        session_user,
        'pending'
    FROM jsonb_object_keys($4) AS f (name)
    RETURNING id INTO made;
    RETURN made;
END
$$;
COMMENT ON FUNCTION push.request_update(text, text, text, jsonb, jsonb) IS 'Puts one update in the outbox and returns its number; base: what it was asked for by, else the present values in the warehouse';

CREATE FUNCTION push.model_rows(model text) RETURNS TABLE (entity_id text, field text, value jsonb)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT m.entity_id::text, f.key, f.value FROM push.%I AS m '
        'CROSS JOIN LATERAL jsonb_each(to_jsonb(m) - ''entity_id'') AS f '
        'WHERE f.value <> ''null''',
        model
    );
END
$$;
COMMENT ON FUNCTION push.model_rows(text) IS 'The values of a push model, one row per record and field; nothing where it has null';

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA push FROM PUBLIC;
ALTER TABLE push.updates ENABLE ROW LEVEL SECURITY;
