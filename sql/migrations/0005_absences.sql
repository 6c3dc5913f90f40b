-- What the sources no longer name: candidates for deletion, and how far each is confirmed.

CREATE TABLE ops.absences (
    source text NOT NULL,
    entity text NOT NULL,
    record_id text NOT NULL,
    scope text NOT NULL,
    missed_at timestamptz NOT NULL,
    noted_at timestamptz NOT NULL,
    missed_again_at timestamptz,
    asked_at timestamptz,
    answer text CHECK (answer IN ('gone', 'denied', 'unanswered')),
    confirmed_at timestamptz,
    PRIMARY KEY (source, entity, record_id),
    CONSTRAINT an_answer_has_its_time CHECK ((asked_at IS NULL) = (answer IS NULL)),
    CONSTRAINT missed_again_is_later CHECK (missed_again_at > noted_at),
    CONSTRAINT confirmed_by_something CHECK (
        confirmed_at IS NULL OR answer = 'gone' OR missed_again_at IS NOT NULL
    )
);
CREATE INDEX absences_by_scope ON ops.absences (source, entity, scope, record_id);
COMMENT ON TABLE ops.absences IS 'Stored records that their source no longer names: candidates for deletion, and how far each is confirmed';
COMMENT ON COLUMN ops.absences.source IS 'crmcom, rocs or rosaas';
COMMENT ON COLUMN ops.absences.entity IS 'The table that holds the record';
COMMENT ON COLUMN ops.absences.record_id IS 'The record''s id';
COMMENT ON COLUMN ops.absences.scope IS 'What was read without it: empty for the stream''s own list; else the contact whose list it is, or the record''s own answer';
COMMENT ON COLUMN ops.absences.missed_at IS 'When the first request of the proven reading was sent that first missed it';
COMMENT ON COLUMN ops.absences.noted_at IS 'When that was noted; only a reading that began later says something new';
COMMENT ON COLUMN ops.absences.missed_again_at IS 'When the latest proven reading began that missed it as well';
COMMENT ON COLUMN ops.absences.asked_at IS 'When the source was last asked for it by its id';
COMMENT ON COLUMN ops.absences.answer IS 'What it answered: gone; denied or unanswered (it stays a candidate); one that it found is removed from here';
COMMENT ON COLUMN ops.absences.confirmed_at IS 'When the request was sent that confirmed it as gone; it is deleted unless the cap forbids it';

ALTER TABLE ops.sync_runs
ADD COLUMN absences_left bigint NOT NULL DEFAULT 0,
ADD COLUMN is_delete_allowed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN ops.sync_runs.rows_deleted IS 'Rows marked as gone from the source; not part of rows_read';
COMMENT ON COLUMN ops.sync_runs.rows_updated IS 'Rows whose content had changed, or that came back after a deletion';
COMMENT ON COLUMN ops.sync_runs.absences_left IS 'Candidates for deletion that were left in ops.absences at its end';
COMMENT ON COLUMN ops.sync_runs.is_delete_allowed IS 'Whether it was told to delete beyond MAX_DELETE_SHARE';

DO $$
DECLARE
    entity text;
    suffix text;
BEGIN
    FOREACH entity IN ARRAY ARRAY[
        'contacts', 'communications', 'tenants', 'approval_requests', 'plans',
        'specifications', 'contact_lists', 'campaigns'
    ]
    LOOP
        FOREACH suffix IN ARRAY ARRAY['', '_history', '_versions']
        LOOP
            EXECUTE format(
                'COMMENT ON COLUMN warehouse.%I.cause IS %L',
                entity || suffix,
                'Why this version came to be: source (a reading brought it), deleted, revived (read again after a deletion); push and normaliser are not used yet'
            );
            EXECUTE format(
                'COMMENT ON COLUMN warehouse.%I.deleted_at IS %L',
                entity || suffix,
                'When the request was sent that confirmed its absence at the source; the other columns keep what was last known'
            );
        END LOOP;
    END LOOP;
END
$$;
