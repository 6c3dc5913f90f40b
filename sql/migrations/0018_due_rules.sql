-- Two rules that all queues of due contacts share. The planner puts their bodies in the place of the
-- calls, as with ops.is_due.

CREATE FUNCTION ops.is_hinted(
    hinted_at timestamptz, read_at timestamptz, hinted_since timestamptz
) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN coalesce(hinted_at > greatest(read_at, hinted_since), false);
COMMENT ON FUNCTION ops.is_hinted IS
'Whether something told that a contact changed after it was read (null: never), lately enough';

CREATE FUNCTION ops.is_deferred(reason text, deferring text []) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN coalesce(reason = ANY(deferring), false);
COMMENT ON FUNCTION ops.is_deferred IS
'Whether a scope waits for its own time: the reason of its last reading is one of those that defer';
