-- Spaces around an external id are no difference, whichever they are: it is trimmed of all of them
-- before it is sent.

ALTER TABLE push.updates DROP COLUMN record;
ALTER TABLE push.updates ADD COLUMN record text NOT NULL GENERATED ALWAYS AS (
    source || '/' || entity || '/' || entity_id
    || CASE
        WHEN entity_id <> 'new' THEN ''
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
