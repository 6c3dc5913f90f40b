-- Scopes that wait for their own time because the API would not give them, and that are a gap: all
-- that it denies, and of what it does not know at CRM.COM all that is due to a contact who stands
-- in the warehouse, or who is not there although the last list of ids names it.
SELECT
    w.reason,
    count(*)
FROM ops.watermarks AS w
WHERE
    w.source = :source
    AND w.entity = :entity
    AND w.reason = ANY(CAST(:deferred AS text []))
    AND w.due_at > :now
    AND (
        w.reason <> :not_found
        OR (
            w.source = 'crmcom'
            AND coalesce(
                (
                    SELECT c.deleted_at IS NULL
                    FROM warehouse.contacts AS c
                    WHERE c.source = w.source AND c.contact_id = w.scope
                ),
                EXISTS (
                    SELECT 1
                    FROM ops.contact_registry AS r
                    INNER JOIN ops.watermarks AS list
                        ON list.source = w.source AND list.entity = 'contacts' AND list.scope = ''
                    WHERE r.contact_id = w.scope AND r.last_seen_at >= list.read_at
                )
            )
        )
    )
GROUP BY w.reason
