-- Who is due, and in which order: hints, how lately a scope changed, and how old its reading is.

ALTER TABLE ops.contact_registry ADD COLUMN hinted_at timestamptz;
COMMENT ON COLUMN ops.contact_registry.hinted_at IS
'When something last told that the contact changed: what was read of it before is due at once';
COMMENT ON COLUMN ops.contact_registry.priority IS
'Above 0: before others among those that are due, the higher the earlier';
CREATE INDEX contact_registry_hinted ON ops.contact_registry (hinted_at, contact_id)
WHERE hinted_at IS NOT NULL;
CREATE INDEX contact_registry_preferred ON ops.contact_registry (priority DESC, contact_id)
WHERE priority > 0;

ALTER TABLE ops.watermarks
ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now(),
ADD COLUMN wanted_at timestamptz NOT NULL DEFAULT now(),
ADD COLUMN aged_from timestamptz NOT NULL DEFAULT now();
UPDATE ops.watermarks
SET changed_at = read_at, wanted_at = due_at, aged_from = coalesce(swept_at, due_at);
COMMENT ON COLUMN ops.watermarks.changed_at IS
'When a reading last brought something new or changed; the first reading counts as one';
COMMENT ON COLUMN ops.watermarks.wanted_at IS
'The order among those that are due: soon after the last reading where something changed lately';
COMMENT ON COLUMN ops.watermarks.aged_from IS
'From when it ages: the last reading of all of it; where that was given up, when it is due again';
-- Without the scope: as long as nobody has counted the rows, the planner would take them for as good
-- as the primary key to find one by.
CREATE INDEX watermarks_by_age ON ops.watermarks (source, entity, aged_from);
CREATE INDEX watermarks_by_wish ON ops.watermarks (source, entity, wanted_at);

-- One definition for every statement; the planner puts its body in the place of the call.
CREATE FUNCTION ops.is_due(
    due_at timestamptz, read_at timestamptz, is_deferred boolean, now timestamptz, as_of timestamptz
) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN (as_of IS NULL AND due_at <= now)
OR coalesce(read_at < as_of AND NOT (is_deferred AND due_at > now), false);
COMMENT ON FUNCTION ops.is_due IS
'Whether a scope that was read is due: by its own time; with as_of, if it was not read since then';
