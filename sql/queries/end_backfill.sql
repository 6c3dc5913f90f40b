-- It has read everything: run again, it begins anew.
DELETE FROM ops.backfills
WHERE source = :source AND entity = :entity AND origin = :origin AND windows = :windows
