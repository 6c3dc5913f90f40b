-- The inbox of the webhook receiver: what was answered with 200 stands here.
CREATE TABLE ops.webhook_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    event text NOT NULL,
    kind text NOT NULL,
    subject text,
    payload_raw bytea NOT NULL,
    payload jsonb,
    digest bytea NOT NULL GENERATED ALWAYS AS (sha256(payload_raw)) STORED,
    happened_at timestamptz,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    repeats integer NOT NULL DEFAULT 0,
    repeated_at timestamptz,
    processed_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    error text
);
CREATE INDEX webhook_events_by_digest ON ops.webhook_events (digest);
CREATE INDEX webhook_events_waiting ON ops.webhook_events (source, subject)
WHERE processed_at IS NULL;
CREATE INDEX webhook_events_by_tenant ON ops.webhook_events (subject, received_at)
WHERE source = 'rosaas';
COMMENT ON TABLE ops.webhook_events IS 'What the sources told the webhook receiver, one row per event: a hint to read its subject again';
COMMENT ON COLUMN ops.webhook_events.id IS 'Number to name the row by';
COMMENT ON COLUMN ops.webhook_events.source IS 'rocs or rosaas';
COMMENT ON COLUMN ops.webhook_events.event IS 'The event: the lifecycle call, or the name of the event''s code; unknown where the body does not say';
COMMENT ON COLUMN ops.webhook_events.kind IS 'What it comes to: creation, activation, deactivation, deletion, failure, unavailable, healthy, reset, upgrade, downgrade, status, subscription, contact or other';
COMMENT ON COLUMN ops.webhook_events.subject IS 'The tenant''s name in lower case, or the contact''s id; null where the body names none';
COMMENT ON COLUMN ops.webhook_events.payload_raw IS 'The body as it came, byte by byte: a person''s data may be in it';
COMMENT ON COLUMN ops.webhook_events.payload IS 'The body as JSON; null where jsonb cannot hold it';
COMMENT ON COLUMN ops.webhook_events.digest IS 'SHA-256 of the body, to find an event''s twin';
COMMENT ON COLUMN ops.webhook_events.happened_at IS 'When it happened, as the body says';
COMMENT ON COLUMN ops.webhook_events.received_at IS 'When it was stored; it was answered after that';
COMMENT ON COLUMN ops.webhook_events.repeats IS 'How often the same event came again while it was waiting, or within a minute of the first time';
COMMENT ON COLUMN ops.webhook_events.repeated_at IS 'When it last came again';
COMMENT ON COLUMN ops.webhook_events.processed_at IS 'When a reading of the subject that began after the event had come was loaded; at once where there is no subject to read';
COMMENT ON COLUMN ops.webhook_events.attempts IS 'How many pulls were launched for it';
COMMENT ON COLUMN ops.webhook_events.next_attempt_at IS 'Before this time no pull is launched for it';
COMMENT ON COLUMN ops.webhook_events.error IS 'Why the last pull did not bring its subject, or why there is nothing to pull';

CREATE VIEW warehouse.tenant_events AS
SELECT
    source,
    id AS event_id,
    subject AS tenant_name,
    kind,
    event,
    happened_at,
    received_at,
    repeats,
    repeated_at,
    processed_at
FROM ops.webhook_events
WHERE source = 'rosaas' AND subject IS NOT NULL;
COMMENT ON VIEW warehouse.tenant_events IS 'What RoSaaS told of its tenants by webhook, one row per event; the poll''s truth is in warehouse.tenants';
COMMENT ON COLUMN warehouse.tenant_events.source IS 'The system that the row comes from';
COMMENT ON COLUMN warehouse.tenant_events.event_id IS 'The event, in ops.webhook_events';
COMMENT ON COLUMN warehouse.tenant_events.tenant_name IS 'The tenant''s unique name';
COMMENT ON COLUMN warehouse.tenant_events.kind IS 'creation, activation, deactivation, deletion, failure, unavailable, healthy, reset, upgrade, downgrade, status (any other), subscription or other';
COMMENT ON COLUMN warehouse.tenant_events.event IS 'The lifecycle call, or the name of the event''s code';
COMMENT ON COLUMN warehouse.tenant_events.happened_at IS 'When it happened, as RoSaaS says; null where it does not say';
COMMENT ON COLUMN warehouse.tenant_events.received_at IS 'When it was received';
COMMENT ON COLUMN warehouse.tenant_events.repeats IS 'How often the same event came again while it was waiting, or within a minute';
COMMENT ON COLUMN warehouse.tenant_events.repeated_at IS 'When it last came again';
COMMENT ON COLUMN warehouse.tenant_events.processed_at IS 'When the tenant, read after the event had come, was loaded';

COMMENT ON COLUMN ops.sync_runs.cause IS 'What asked for the run: schedule, pull, backfill, replay, webhook or ui';
