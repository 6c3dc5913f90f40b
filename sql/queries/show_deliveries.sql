-- The attempts at one update.
SELECT
    d.sent_at,
    d.request,
    d.answer_status,
    d.before,
    d.after,
    d.outcome
FROM push.deliveries AS d
WHERE d.update_id = :id
ORDER BY d.id
