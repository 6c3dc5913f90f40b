-- The first candidates for deletion, and how many there are in all.
SELECT
    record_id,
    count(*) OVER () AS candidates
FROM ops.absences
WHERE source = :source AND entity = :entity
ORDER BY record_id
LIMIT :most
