-- Creations of one external id are sent one after another, as updates of one record are: sent side by
-- side, none would find what the other makes. None takes fields from another. Spaces around an external
-- id are no difference, whichever they are: it is trimmed of all of them before it is sent.

ALTER TABLE push.updates ADD COLUMN is_creation boolean NOT NULL GENERATED ALWAYS AS (
    (source, entity, entity_id) = ('rocs', 'contacts', 'new')
) STORED;
COMMENT ON COLUMN push.updates.is_creation IS 'Whether the record is to be created; nothing but contacts of ROCS can be, and `new` is an id like others elsewhere';

ALTER TABLE push.updates DROP COLUMN record;
ALTER TABLE push.updates ADD COLUMN record text NOT NULL GENERATED ALWAYS AS (
    source || '/' || entity || '/' || entity_id
    || CASE
        WHEN (source, entity, entity_id) <> ('rocs', 'contacts', 'new') THEN ''
        ELSE coalesce(
            '/' || hashtextextended(
                nullif(
                    btrim(
                        changes ->> 'external_id',
                        E' \t\n\v\f\r\u001C\u001D\u001E\u001F\u0085\u00A0\u1680\u2000\u2001\u2002\u2003'
                        || E'\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000'
                    ),
                    ''
                ),
                0
            ),
            '#' || id
        )
    END
) STORED;
CREATE INDEX updates_by_record ON push.updates (record, id);
COMMENT ON COLUMN push.updates.record IS 'The record in one word; of one that is to be created a hash of its external id, or the update that creates it';

-- What an update asked for stays with it when fresher updates take its fields.

ALTER TABLE push.updates ADD COLUMN superseded_changes jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN push.updates.superseded_changes IS 'The values that it asked for of the fields that fresher updates took';

CREATE OR REPLACE FUNCTION push.keep_to_the_rules() RETURNS trigger
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
            AND NOT OLD.is_creation
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
    IF TG_OP = 'UPDATE' AND NEW.changes <> OLD.changes THEN
        NEW.superseded_changes := OLD.superseded_changes || (
            OLD.changes - ARRAY(SELECT jsonb_object_keys(NEW.changes))
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
COMMENT ON FUNCTION push.keep_to_the_rules() IS 'Holds an update to push.transitions, takes the fields from it that fresher updates have, and keeps what it asked for of them';

CREATE OR REPLACE FUNCTION push.supersede_older() RETURNS trigger
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
        AND NOT NEW.is_creation
        AND older.status IN ('pending', 'rejected')
        AND older.changes ?| ARRAY(SELECT jsonb_object_keys(NEW.changes));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION push.supersede_older() IS 'Lets older updates that wait for the machine lose the fields of this one';
