-- The states that an update can be in.
SELECT s.status
FROM push.states AS s
ORDER BY s.status
