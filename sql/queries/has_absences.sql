-- Whether any record of a stream is a candidate for deletion.
SELECT EXISTS (SELECT 1 FROM ops.absences WHERE source = :source AND entity = :entity)
