-- How many updates of each stream are in each state.
SELECT
    u.source || '/' || u.entity AS stream,
    u.status,
    s.waits_for IS NOT NULL AS is_open,
    count(*) AS updates
FROM push.updates AS u
INNER JOIN push.states AS s ON u.status = s.status
GROUP BY u.source, u.entity, u.status, s.waits_for
ORDER BY u.source, u.entity, u.status
