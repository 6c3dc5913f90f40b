-- How many updates of each stream are in each state that is not final.
SELECT
    u.source || '/' || u.entity AS stream,
    u.status,
    count(*) AS updates
FROM push.updates AS u
WHERE u.status IN ('pending', 'sending', 'rejected', 'held', 'conflict', 'uncertain', 'dead')
GROUP BY u.source, u.entity, u.status
ORDER BY u.source, u.entity, u.status
