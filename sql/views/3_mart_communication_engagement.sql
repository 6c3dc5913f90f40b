-- One row per source, channel, plan, language and week of creation.
CREATE VIEW :mart.communication_engagement WITH (security_barrier) AS
WITH messages AS (
    SELECT
        source,
        channel,
        plan_name,
        language,
        -- A week begins on its Monday, in UTC whatever the session's time zone is.
        date_trunc('week', source_created_at AT TIME ZONE 'UTC')::date AS week,
        state,
        -- An unknown state is one that came and is none of the three.
        state IS NULL OR state NOT IN ('PENDING', 'REJECTED') AS is_sent,
        is_viewed,
        is_archived,
        clicked_at,
        CASE
            WHEN viewed_at >= source_created_at THEN viewed_at - source_created_at
        END AS time_to_view
    FROM :tables.communications
    WHERE deleted_at IS NULL
)

SELECT
    source,
    channel,
    plan_name,
    language,
    week,
    count(*) FILTER (WHERE is_sent) AS sent,
    count(*) FILTER (WHERE is_sent AND is_viewed) AS viewed,
    count(*) FILTER (WHERE is_sent AND is_archived) AS archived,
    count(*) FILTER (WHERE is_sent AND clicked_at IS NOT NULL) AS clicked,
    count(*) FILTER (WHERE state = 'PENDING') AS pending,
    count(*) FILTER (WHERE state = 'REJECTED') AS rejected,
    count(time_to_view) FILTER (WHERE is_sent) AS timed,
    avg(time_to_view) FILTER (WHERE is_sent) AS average_time_to_view,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY time_to_view)
        FILTER (WHERE is_sent) AS median_time_to_view
FROM messages
GROUP BY source, channel, plan_name, language, week;

COMMENT ON VIEW :mart.communication_engagement IS
'What becomes of messages, one row per source, channel, plan, language and week';
COMMENT ON COLUMN :mart.communication_engagement.source IS 'crmcom or rocs';
COMMENT ON COLUMN :mart.communication_engagement.channel IS
'EMAIL, SMS, INAPP or DEVICE; an unknown value as it came';
COMMENT ON COLUMN :mart.communication_engagement.plan_name IS
'Communication plan or campaign that the messages belong to; null without one';
COMMENT ON COLUMN :mart.communication_engagement.language IS
'Language of the messages, ISO 639-1; null when unknown';
COMMENT ON COLUMN :mart.communication_engagement.week IS
'Monday of the week (UTC) in which they were created; null when the source does not say';
COMMENT ON COLUMN :mart.communication_engagement.sent IS
'Messages that are neither pending nor rejected; the next three are of these';
COMMENT ON COLUMN :mart.communication_engagement.viewed IS 'Those that were viewed';
COMMENT ON COLUMN :mart.communication_engagement.archived IS 'Those that were archived';
COMMENT ON COLUMN :mart.communication_engagement.clicked IS 'Those in which a link was clicked';
COMMENT ON COLUMN :mart.communication_engagement.pending IS 'Messages that are not sent yet';
COMMENT ON COLUMN :mart.communication_engagement.rejected IS 'Messages that could not be sent';
COMMENT ON COLUMN :mart.communication_engagement.timed IS
'Messages of which it is known when they were created and, not before that, viewed';
COMMENT ON COLUMN :mart.communication_engagement.average_time_to_view IS
'Mean time from creation to the view, of those';
COMMENT ON COLUMN :mart.communication_engagement.median_time_to_view IS
'Median time from creation to the view, of those';
