-- Whether an update is still with this worker.
SELECT
    EXISTS (
        SELECT FROM push.updates AS u
        WHERE u.id = :id AND u.status = 'sending' AND u.claimed_by = :claimed_by
    )
