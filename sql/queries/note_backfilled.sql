-- Contacts that a backfill has read to their end, in the transaction of their rows.
INSERT INTO ops.backfill_progress (backfill_id, contact_id)
SELECT
    done.backfill_id,
    done.contact_id
FROM unnest(
    CAST(:backfill_ids AS bigint []), CAST(:contact_ids AS text [])
) AS done (backfill_id, contact_id)
ON CONFLICT DO NOTHING
