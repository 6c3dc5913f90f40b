"""PostgreSQL: schema, hashes, upsert with history, progress, quarantine, runs, locks."""
