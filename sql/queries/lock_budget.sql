-- Alone, so that the next statement sees what the last holder of the lock left.
SELECT api FROM ops.budgets WHERE api = :api FOR UPDATE
