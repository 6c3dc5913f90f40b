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
            AND OLD.entity_id <> 'new'
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
