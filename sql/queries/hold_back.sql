-- The API answered 429 or 503. What it says while all are quiet already is about requests that were
-- under way, and no further strike.
UPDATE ops.budgets AS budget
SET
    strikes = CASE WHEN told.is_quiet THEN budget.strikes ELSE budget.strikes + 1 END,
    quiet_until = greatest(
        budget.quiet_until,
        told.now + make_interval(secs => least(
            CAST(:longest_s AS double precision),
            greatest(
                CAST(:asked_s AS double precision),
                -- Doubles with every strike, to half a minute.
                CASE WHEN told.is_quiet THEN 0 ELSE 0.25 * 2 ^ least(budget.strikes, 7) END
            )
        ))
    )
FROM (
    SELECT
        api,
        clock_timestamp() AS now,
        coalesce(clock_timestamp() < quiet_until, false) AS is_quiet
    FROM ops.budgets
    WHERE api = :api
) AS told
WHERE budget.api = told.api
