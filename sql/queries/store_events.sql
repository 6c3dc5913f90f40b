-- Store events, each of which came `times` times: as repeats of a twin that is still waiting or came
-- first less than a minute ago, else as rows of their own. A repeat has its subject read again, as
-- something may have happened since; where there is no subject, there is nothing to wait for.
WITH arrived AS (
    SELECT
        a.*,
        sha256(a.payload_raw) AS digest
    FROM unnest(
        CAST(:sources AS text []),
        CAST(:events AS text []),
        CAST(:kinds AS text []),
        CAST(:subjects AS text []),
        CAST(:payloads_raw AS bytea []),
        CAST(:payloads AS text []),
        CAST(:happened AS timestamptz []),
        CAST(:errors AS text []),
        CAST(:times AS integer [])
    ) WITH ORDINALITY AS a (
        source, event, kind, subject, payload_raw, payload, happened_at, error, times, place
    )
),

twins AS (
    SELECT DISTINCT ON (a.place)
        a.place,
        a.times,
        e.id
    FROM arrived AS a
    INNER JOIN ops.webhook_events AS e
        ON
            a.digest = e.digest
            AND a.source = e.source
            AND a.event = e.event
            AND a.subject IS NOT DISTINCT FROM e.subject
    WHERE e.processed_at IS NULL OR e.received_at > clock_timestamp() - interval '60 s'
    ORDER BY a.place, e.id DESC
),

repeated AS (
    UPDATE ops.webhook_events AS e
    SET
        repeats = e.repeats + t.times,
        repeated_at = clock_timestamp(),
        attempts = CASE WHEN e.processed_at IS NULL THEN e.attempts ELSE 0 END,
        next_attempt_at = CASE
            WHEN e.processed_at IS NULL THEN e.next_attempt_at ELSE clock_timestamp()
        END,
        processed_at = CASE WHEN e.subject IS NULL THEN e.processed_at END
    FROM twins AS t
    WHERE e.id = t.id
)

INSERT INTO ops.webhook_events (
    source, event, kind, subject, payload_raw, payload, happened_at, error, repeats, processed_at
)
SELECT
    a.source,
    a.event,
    a.kind,
    a.subject,
    a.payload_raw,
    CAST(a.payload AS jsonb),
    a.happened_at,
    a.error,
    a.times - 1,
    CASE WHEN a.subject IS NULL THEN clock_timestamp() END
FROM arrived AS a
WHERE a.place NOT IN (SELECT t.place FROM twins AS t)
ORDER BY a.place
