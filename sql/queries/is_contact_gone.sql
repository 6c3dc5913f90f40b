-- Whether a contact is deleted; or, where the warehouse never had it, whether the last proven list of
-- ids no longer names it.
SELECT
    coalesce(
        (
            SELECT c.deleted_at IS NOT NULL
            FROM warehouse.contacts AS c
            WHERE c.source = :source AND c.contact_id = :contact_id
        ),
        EXISTS (
            SELECT 1
            FROM ops.contact_registry AS r
            INNER JOIN ops.watermarks AS list
                ON list.source = :source AND list.entity = 'contacts' AND list.scope = ''
            WHERE r.contact_id = :contact_id AND r.last_seen_at < list.proven_at
        )
    )
