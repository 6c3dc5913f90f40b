-- One cycle of a push model: what it has for a field and had not before becomes updates, one per
-- record, unless the source holds it already. Too many records at once, and nothing is planned.
WITH wanted AS MATERIALIZED (
    SELECT
        m.entity_id,
        m.field,
        min(m.value::text)::jsonb AS value
    FROM push.model_rows(:model) AS m
    WHERE m.field = any(CAST(:fields AS text []))
    GROUP BY m.entity_id, m.field
    HAVING count(DISTINCT m.value) = 1
),

news AS MATERIALIZED (
    SELECT
        w.*,
        p.value_hash AS known_hash,
        p.update_id AS known_update
    FROM wanted AS w
    LEFT JOIN push.proposals AS p
        ON
            p.model = :model
            AND p.source = :source
            AND p.entity = :entity
            AND w.entity_id = p.entity_id
            AND w.field = p.field
    WHERE p.value_hash IS DISTINCT FROM push.value_hash(w.value)
),

targets AS MATERIALIZED (
    SELECT
        n.entity_id,
        push.stored_record(:source, :entity, n.entity_id) AS record
    FROM (SELECT DISTINCT x.entity_id FROM news AS x) AS n
),

compared AS MATERIALIZED (
    SELECT
        n.*,
        (t.record ->> 'observed_at')::timestamptz AS seen_at,
        push.value_in(t.record, n.field) AS present
    FROM news AS n
    INNER JOIN targets AS t ON n.entity_id = t.entity_id AND t.record IS NOT NULL
),

differing AS MATERIALIZED (
    SELECT
        c.*,
        push.refusal(
            :source, :entity, c.entity_id, jsonb_build_object(c.field, c.value)
        ) IS NULL AS is_allowed,
        -- The source holds what was agreed on last: else both sides have changed it.
        c.known_hash IS NULL
        OR push.value_hash(c.present) = c.known_hash
        OR EXISTS (
            SELECT FROM push.ledger AS l
            WHERE
                l.source = :source
                AND l.entity = :entity
                AND l.entity_id = c.entity_id
                AND l.field = c.field
                AND l.value_hash = push.value_hash(c.present)
        ) AS is_untouched
    FROM compared AS c
    WHERE c.value <> c.present
),

verdict AS MATERIALIZED (
    SELECT
        count(DISTINCT d.entity_id) AS records,
        count(DISTINCT d.entity_id) <= :most AS is_within
    FROM differing AS d
    WHERE d.is_allowed
),

made AS (
    INSERT INTO push.updates (
        source, entity, entity_id, changes, base, base_at, requested_by, status, model
    )
    SELECT
        :source,
        :entity,
        d.entity_id,
        jsonb_object_agg(d.field, d.value),
        jsonb_object_agg(
            d.field,
            CASE WHEN d.is_untouched THEN d.present ELSE coalesce(earlier.changes -> d.field, 'null') END
        ),
        min(d.seen_at),
        session_user,
        :status,
        :model
    FROM differing AS d
    LEFT JOIN push.updates AS earlier ON d.known_update = earlier.id
    WHERE d.is_allowed AND (SELECT v.is_within FROM verdict AS v)
    GROUP BY d.entity_id
    ORDER BY d.entity_id
    RETURNING id, entity_id, changes
),

learned AS (
    INSERT INTO push.proposals AS known (
        model, source, entity, entity_id, field, value_hash, update_id
    )
    SELECT
        :model,
        :source,
        :entity,
        c.entity_id,
        c.field,
        push.value_hash(c.value),
        made.id
    FROM compared AS c
    LEFT JOIN made ON c.entity_id = made.entity_id AND made.changes ? c.field
    WHERE c.value = c.present OR made.id IS NOT NULL
    ON CONFLICT (model, source, entity, entity_id, field) DO UPDATE
    SET
        value_hash = excluded.value_hash,
        update_id = excluded.update_id,
        proposed_at = excluded.proposed_at
    RETURNING known.entity_id, known.field, known.update_id
),

-- What it held for approval and has changed its mind about is not to be approved any more.
withdrawn AS (
    UPDATE push.updates AS older
    SET
        changes = older.changes - fresher.fields,
        base = older.base - fresher.fields,
        superseded_by = older.superseded_by || fresher.by_field,
        status = CASE WHEN older.changes - fresher.fields = '{}' THEN 'superseded' ELSE 'held' END
    FROM (
        SELECT
            l.entity_id,
            array_agg(l.field) AS fields,
            jsonb_object_agg(l.field, l.update_id) AS by_field
        FROM learned AS l
        GROUP BY l.entity_id
    ) AS fresher
    WHERE
        older.model = :model
        AND older.status = 'held'
        AND older.source = :source
        AND older.entity = :entity
        AND older.entity_id = fresher.entity_id
        AND older.changes ?| fresher.fields
    RETURNING older.id
)

SELECT
    v.records,
    v.is_within,
    (SELECT count(*) FROM made) AS planned,
    (SELECT count(*) FROM differing AS d WHERE NOT d.is_allowed) AS refused,
    (SELECT count(*) FROM withdrawn) AS withdrawn
FROM verdict AS v
