-- The statistics of the outbox lag behind: of many updates the first are found by their index all
-- the same, not by reading and sorting all of them.
SELECT
    set_config('enable_sort', 'off', false),
    set_config('enable_bitmapscan', 'off', false)
