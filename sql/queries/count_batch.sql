-- Add one batch to its run. rows_read is the sum of its parts, by a constraint too.
UPDATE ops.sync_runs
SET
    rows_read = rows_read + :inserted + :updated + :unchanged + :duplicate + :outdated
    + :ignored + :quarantined,
    rows_inserted = rows_inserted + :inserted,
    rows_updated = rows_updated + :updated,
    rows_unchanged = rows_unchanged + :unchanged,
    rows_duplicate = rows_duplicate + :duplicate,
    rows_outdated = rows_outdated + :outdated,
    rows_ignored = rows_ignored + :ignored,
    rows_quarantined = rows_quarantined + :quarantined,
    scopes_read = scopes_read + :scopes_read,
    scopes_incomplete = scopes_incomplete + :scopes_incomplete,
    scopes_denied = scopes_denied + :scopes_denied,
    requests = greatest(requests, :requests),
    retries = greatest(retries, :retries),
    bytes_read = greatest(bytes_read, :bytes_read)
WHERE run_id = :run_id AND source = :source AND entity = :entity
