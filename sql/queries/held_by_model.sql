-- The updates of a model that wait for approval.
SELECT u.id
FROM push.updates AS u
WHERE u.status = 'held' AND u.model = :model
ORDER BY u.id
