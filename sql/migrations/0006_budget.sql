-- What all processes that talk to one API share, so that together they keep to its budget.

CREATE TABLE ops.budgets (
    api text PRIMARY KEY,
    next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    quiet_until timestamptz,
    strikes integer NOT NULL DEFAULT 0
);
COMMENT ON TABLE ops.budgets IS 'One row per API that is read: when its next request may be sent, by whomever';
COMMENT ON COLUMN ops.budgets.api IS 'The source and the origin of its address';
COMMENT ON COLUMN ops.budgets.next_at IS 'The first moment that no holder has reserved for a request';
COMMENT ON COLUMN ops.budgets.quiet_until IS 'Nobody sends before this: the API answered 429 or 503';
COMMENT ON COLUMN ops.budgets.strikes IS 'How often in a row it said so, with no answer in between';

CREATE TABLE ops.budget_holders (
    api text NOT NULL REFERENCES ops.budgets (api) ON DELETE CASCADE,
    holder text NOT NULL,
    lane text NOT NULL CHECK (lane IN ('pull', 'push')),
    requests_per_second double precision NOT NULL CHECK (requests_per_second > 0),
    max_in_flight integer NOT NULL CHECK (max_in_flight > 0),
    places_wanted integer NOT NULL,
    places integer NOT NULL,
    is_waiting boolean NOT NULL,
    turn_at timestamptz NOT NULL,
    asked_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (api, holder)
);
COMMENT ON TABLE ops.budget_holders IS 'Who sends requests to an API now, and how many may be in flight for each';
COMMENT ON COLUMN ops.budget_holders.api IS 'The API, as in ops.budgets';
COMMENT ON COLUMN ops.budget_holders.holder IS 'A made-up name of one client in one process';
COMMENT ON COLUMN ops.budget_holders.lane IS 'pull or push; a push goes first';
COMMENT ON COLUMN ops.budget_holders.requests_per_second IS 'Its setting; the strictest of all holders counts';
COMMENT ON COLUMN ops.budget_holders.max_in_flight IS 'Its setting; the strictest of all holders counts';
COMMENT ON COLUMN ops.budget_holders.places_wanted IS 'How many requests it would have in flight';
COMMENT ON COLUMN ops.budget_holders.places IS 'How many it may have in flight until expires_at';
COMMENT ON COLUMN ops.budget_holders.is_waiting IS 'It asked for leave to send and got less than it asked for';
COMMENT ON COLUMN ops.budget_holders.turn_at IS 'When it last got leave to send, or came; the longest ago is served first';
COMMENT ON COLUMN ops.budget_holders.asked_at IS 'When it last asked';
COMMENT ON COLUMN ops.budget_holders.expires_at IS 'When its places are free again, unless it renews them';
