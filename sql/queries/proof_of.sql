-- How the last reading of one scope was proven.
SELECT proof FROM ops.watermarks
WHERE source = :source AND entity = :entity AND scope = :scope
