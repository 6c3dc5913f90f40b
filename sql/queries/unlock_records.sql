-- Let other sessions have the records.
SELECT count(pg_advisory_unlock(push.lock_key(held.record)))
FROM unnest(CAST(:records AS text [])) AS held (record)
