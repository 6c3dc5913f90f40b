-- Events that named no subject are settled once the whole list was read after they had come: what
-- they told is loaded since then.
UPDATE ops.quarantine AS kept
SET resolved_at = clock_timestamp(), resolution = 'loaded'
FROM ops.watermarks AS list
WHERE
    list.source = kept.source
    AND list.entity = kept.entity
    AND list.scope = ''
    AND kept.source = :source
    AND kept.entity = :entity
    AND kept.error_code = :error_code
    AND kept.resolved_at IS NULL
    AND kept.observed_at < list.proven_at
