-- How often an API has refused an update: a time when it was away is no refusal.
ALTER TABLE push.updates ADD COLUMN refusals integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN push.updates.refusals IS 'How often its API has refused it since it was asked for, or tried again by a person';
UPDATE push.updates SET refusals = least(attempts, 8) WHERE status IN ('rejected', 'dead');
