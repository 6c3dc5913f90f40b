DELETE FROM ops.budget_holders WHERE api = :api AND holder = :holder
