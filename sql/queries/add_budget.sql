INSERT INTO ops.budgets (api) VALUES (:api) ON CONFLICT (api) DO NOTHING
