-- What came of some claims: states, attempts and ledger together. A claim that another worker has
-- taken over keeps its state; what was sent is noted all the same.
WITH ended AS MATERIALIZED (
    SELECT e.*
    FROM jsonb_to_recordset(CAST(:endings AS jsonb)) AS e (
        id bigint, status text, error text, next_attempt_at timestamptz, created_id text,
        sent_at timestamptz, deliveries jsonb, written jsonb, written_at timestamptz
    )
),

settled AS (
    UPDATE push.updates AS u
    SET
        status = e.status,
        error = e.error,
        refusals = u.refusals + (e.status IN ('rejected', 'dead'))::integer,
        next_attempt_at = e.next_attempt_at,
        created_id = coalesce(e.created_id, u.created_id),
        sent_at = greatest(e.sent_at, u.sent_at),
        claimed_by = NULL
    FROM ended AS e
    WHERE u.id = e.id AND u.status = 'sending' AND u.claimed_by = :claimed_by
    RETURNING u.id, u.status, u.source, u.entity, coalesce(u.created_id, u.entity_id) AS record_id
),

noted AS (
    INSERT INTO push.deliveries (
        update_id, sent_at, request, answer_status, before, after, outcome
    )
    SELECT
        e.id,
        d.sent_at,
        d.request,
        d.answer_status,
        d.before,
        d.after,
        d.outcome
    FROM ended AS e
    CROSS JOIN ROWS FROM (
        jsonb_to_recordset(e.deliveries) AS (
            sent_at timestamptz, request jsonb, answer_status integer, before jsonb, after jsonb,
            outcome text
        )
    ) WITH ORDINALITY AS d
    ORDER BY e.id, d.ordinality
),

written AS (
    INSERT INTO push.ledger AS known (
        source, entity, entity_id, field, value_hash, written_at, update_id
    )
    SELECT
        s.source,
        s.entity,
        s.record_id,
        w.field,
        push.value_hash(w.value),
        coalesce(e.written_at, clock_timestamp()),
        s.id
    FROM settled AS s
    INNER JOIN ended AS e ON s.id = e.id
    CROSS JOIN jsonb_each(e.written) AS w (field, value)
    ON CONFLICT (source, entity, entity_id, field) DO UPDATE
    SET
        value_hash = excluded.value_hash,
        written_at = excluded.written_at,
        update_id = excluded.update_id
)

SELECT
    s.id,
    s.status
FROM settled AS s
