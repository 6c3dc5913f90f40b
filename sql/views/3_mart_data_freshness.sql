-- One row per stream: how old the proof of its oldest scope is, and what is open.
CREATE VIEW :mart.data_freshness WITH (security_barrier) AS
WITH streams AS (
    SELECT source, entity FROM ops.watermarks
    UNION
    SELECT source, entity FROM ops.sync_runs
    UNION
    SELECT source, entity FROM ops.quarantine
),

proofs AS (
    SELECT
        source,
        entity,
        min(proven_at) AS oldest_proof_at,
        count(*) AS scopes,
        count(*) FILTER (WHERE proof = 'incomplete') AS scopes_incomplete,
        count(*) FILTER (WHERE reason = 'denied') AS scopes_denied,
        count(*) FILTER (WHERE proven_at IS NULL) AS scopes_never_proven
    FROM ops.watermarks
    GROUP BY source, entity
),

open_quarantine AS (
    SELECT source, entity, count(*) AS records
    FROM ops.quarantine
    WHERE resolved_at IS NULL
    GROUP BY source, entity
),

last_runs AS (
    SELECT DISTINCT ON (source, entity)
        source, entity, outcome, is_complete, started_at, finished_at
    FROM ops.sync_runs
    ORDER BY source, entity, started_at DESC
)

SELECT
    source,
    entity,
    p.oldest_proof_at,
    now() - p.oldest_proof_at AS staleness,
    coalesce(p.scopes, 0) AS scopes,
    coalesce(p.scopes_incomplete, 0) AS scopes_incomplete,
    coalesce(p.scopes_denied, 0) AS scopes_denied,
    coalesce(p.scopes_never_proven, 0) AS scopes_never_proven,
    coalesce(q.records, 0) AS quarantined,
    r.outcome AS last_outcome,
    r.is_complete AS last_is_complete,
    r.started_at AS last_started_at,
    r.finished_at AS last_finished_at
FROM streams
LEFT JOIN proofs AS p USING (source, entity)
LEFT JOIN open_quarantine AS q USING (source, entity)
LEFT JOIN last_runs AS r USING (source, entity);

COMMENT ON VIEW :mart.data_freshness IS
'How fresh and how complete each stream is, one row per stream';
COMMENT ON COLUMN :mart.data_freshness.source IS 'crmcom, rocs or rosaas';
COMMENT ON COLUMN :mart.data_freshness.entity IS 'The table that the stream fills';
COMMENT ON COLUMN :mart.data_freshness.oldest_proof_at IS
'Since when nothing of the stream has been older: the oldest of its scopes'' latest proofs; null without one';
COMMENT ON COLUMN :mart.data_freshness.staleness IS 'How long ago that is';
COMMENT ON COLUMN :mart.data_freshness.scopes IS
'Lists (or single records) that the stream is read by';
COMMENT ON COLUMN :mart.data_freshness.scopes_incomplete IS
'Scopes whose last reading could not be proven complete';
COMMENT ON COLUMN :mart.data_freshness.scopes_denied IS
'Scopes that the identity may not read; they count as incomplete, too';
COMMENT ON COLUMN :mart.data_freshness.scopes_never_proven IS
'Scopes that no reading has ever proven; they take no part in the oldest proof';
COMMENT ON COLUMN :mart.data_freshness.quarantined IS
'Records that break the contract and are not settled';
COMMENT ON COLUMN :mart.data_freshness.last_outcome IS
'How the last run ended: running, succeeded, failed or abandoned';
COMMENT ON COLUMN :mart.data_freshness.last_is_complete IS
'Whether it proved everything that it set out to read';
COMMENT ON COLUMN :mart.data_freshness.last_started_at IS 'When it began';
COMMENT ON COLUMN :mart.data_freshness.last_finished_at IS 'When it ended; null while it runs';
