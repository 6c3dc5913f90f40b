-- What holds for each statement of a session that sends updates, whatever the server's defaults are.
-- The statistics of the outbox lag behind: of many updates the first are found by their index all
-- the same, not by reading and sorting all of them.
SELECT
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('enable_sort', 'off', false),
    set_config('enable_bitmapscan', 'off', false)
