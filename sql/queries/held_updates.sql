-- Which of some updates are still with this worker.
SELECT u.id
FROM push.updates AS u
WHERE u.id = any(CAST(:ids AS bigint [])) AND u.status = 'sending' AND u.claimed_by = :claimed_by
