-- Renew one holder's places and reserve its next requests, under `lock_budget`; the server's clock
-- alone counts. What may be in flight is dealt out one by one, to pushes first, then to whoever
-- was served the longest ago. Reservations follow one another at the rate, and none begins far
-- ahead: a push that comes waits for no more than that.
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() AS now
),
gone AS (
    DELETE FROM ops.budget_holders AS holder USING moment
    WHERE holder.api = :api AND holder.holder <> :holder AND holder.expires_at <= moment.now
),
others AS (
    SELECT
        holder.*,
        -- One that died while it waited would keep all others waiting.
        holder.is_waiting
        AND holder.places > 0
        AND holder.asked_at > moment.now - interval '1 second' AS is_next
    FROM ops.budget_holders AS holder
    CROSS JOIN moment
    WHERE holder.api = :api AND holder.holder <> :holder AND holder.expires_at > moment.now
),
limits AS (
    SELECT
        least(:requests_per_second, min(requests_per_second)) AS rate,
        least(:max_in_flight, min(max_in_flight)) AS in_flight,
        coalesce(sum(places), 0) AS taken
    FROM others
),
own AS (
    SELECT
        coalesce(max(holder.turn_at), moment.now) AS turn_at,
        CAST(:lane AS text) AS lane
    FROM moment
    LEFT JOIN ops.budget_holders AS holder ON holder.api = :api AND holder.holder = :holder
    GROUP BY moment.now
),
dealt AS (
    SELECT
        claim.holder,
        row_number() OVER (
            ORDER BY claim.lane = 'push' DESC, number, claim.turn_at, claim.holder
        ) AS place
    FROM (
        SELECT holder, lane, turn_at, places_wanted FROM others
        UNION ALL
        SELECT :holder, lane, turn_at, :places_wanted FROM own
    ) AS claim
    CROSS JOIN limits
    CROSS JOIN LATERAL
    generate_series(1, least(claim.places_wanted, limits.in_flight)) AS number
),
granted_places AS (
    SELECT
        -- What is under way stays so: it is given back as it ends.
        greatest(:in_use, least(fair.places, limits.in_flight - limits.taken)) AS places,
        fair.places AS share
    FROM limits
    CROSS JOIN (
        SELECT count(*) AS places FROM dealt CROSS JOIN limits
        WHERE dealt.holder = :holder AND dealt.place <= limits.in_flight
    ) AS fair
),
line AS (
    SELECT
        count(*) FILTER (WHERE others.lane = own.lane) AS alike,
        count(*) FILTER (
            WHERE others.lane = own.lane AND others.turn_at < own.turn_at
        ) AS before_it,
        coalesce(bool_or(others.lane = 'push' AND own.lane = 'pull'), false) AS is_push_before_it
    FROM own
    LEFT JOIN others ON others.is_next
),
free AS (
    SELECT
        moment.now,
        greatest(budget.next_at, budget.quiet_until, moment.now) AS from_at,
        -- After a silence the rate begins at a quarter and takes two seconds to grow.
        limits.rate * CAST(least(1, greatest(
            0.25, coalesce(extract(EPOCH FROM moment.now - budget.quiet_until) / 2, 1)
        )) AS double precision) AS rate,
        coalesce(budget.quiet_until > moment.now, false) AS is_quiet
    FROM ops.budgets AS budget
    CROSS JOIN moment
    CROSS JOIN limits
    WHERE budget.api = :api
),
room AS (
    SELECT
        free.*,
        CASE
            WHEN ahead.seconds >= 0
                THEN greatest(1, floor(ahead.seconds * free.rate))
            ELSE 0
        END AS requests
    FROM free
    CROSS JOIN LATERAL (
        SELECT :ahead_s - CAST(extract(EPOCH FROM free.from_at - free.now) AS double precision)
    ) AS ahead (seconds)
),
granted AS (
    SELECT
        room.now,
        room.from_at,
        room.rate,
        room.is_quiet,
        granted_places.places,
        granted_places.share,
        CAST(
            CASE
                WHEN granted_places.places <= 0 OR line.is_push_before_it THEN 0
                WHEN line.before_it >= room.requests THEN 0
                ELSE least(
                    :requests_wanted, greatest(1, floor(room.requests / (line.alike + 1)))
                )
            END AS integer
        ) AS requests
    FROM room
    CROSS JOIN granted_places
    CROSS JOIN line
),
spent AS (
    UPDATE ops.budgets AS budget
    SET
        next_at = CASE
            WHEN granted.requests > 0
                THEN granted.from_at + make_interval(secs => granted.requests / granted.rate)
            ELSE budget.next_at
        END,
        strikes = CASE
            WHEN :is_answered AND NOT granted.is_quiet THEN 0 ELSE budget.strikes
        END
    FROM granted
    WHERE budget.api = :api
),
kept AS (
    INSERT INTO ops.budget_holders (
        api, holder, lane, requests_per_second, max_in_flight, places_wanted, places, is_waiting,
        turn_at, asked_at, expires_at
    )
    SELECT
        :api,
        :holder,
        own.lane,
        :requests_per_second,
        :max_in_flight,
        :places_wanted,
        granted.places,
        granted.requests < :requests_wanted,
        CASE WHEN granted.requests > 0 THEN granted.now ELSE own.turn_at END,
        granted.now,
        granted.now + make_interval(secs => :lease_s)
    FROM granted
    CROSS JOIN own
    ON CONFLICT (api, holder) DO UPDATE SET
        requests_per_second = excluded.requests_per_second,
        max_in_flight = excluded.max_in_flight,
        places_wanted = excluded.places_wanted,
        places = excluded.places,
        is_waiting = excluded.is_waiting,
        turn_at = excluded.turn_at,
        asked_at = excluded.asked_at,
        expires_at = excluded.expires_at
)
SELECT
    places,
    share,
    requests,
    rate,
    CAST(extract(EPOCH FROM from_at - now) AS double precision) AS from_s,
    is_quiet
FROM granted
