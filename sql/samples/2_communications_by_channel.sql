-- Which channel is looked at?
SELECT
    channel,
    count(*) AS sent,
    count(*) FILTER (WHERE is_viewed) AS viewed,
    round(100.0 * count(*) FILTER (WHERE is_viewed) / count(*), 1) AS percent_viewed
FROM warehouse.communications
WHERE deleted_at IS NULL
GROUP BY channel
ORDER BY sent DESC, channel
