-- An external id of any length can be asked for: in the index of records it is a number.

ALTER TABLE push.updates DROP COLUMN record;
ALTER TABLE push.updates ADD COLUMN record text NOT NULL GENERATED ALWAYS AS (
    source || '/' || entity || '/' || entity_id
    || CASE
        WHEN entity_id <> 'new' THEN ''
        ELSE coalesce(
            '/' || hashtextextended(
                nullif(btrim(changes ->> 'external_id', E' \t\n\r'), ''), 0
            ),
            '#' || id
        )
    END
) STORED;
CREATE INDEX updates_by_record ON push.updates (record, id);
COMMENT ON COLUMN push.updates.record IS 'The record in one word; of one that is to be created a hash of its external id, or the update that creates it';
