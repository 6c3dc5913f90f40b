-- What earlier migrations left behind.

-- A backfill asks for runs, and a replay as well.
COMMENT ON COLUMN ops.sync_runs.cause IS 'What asked for the run: schedule, pull, backfill, replay or ui';

-- Who is due is found by age, by wish, or by the registry: nothing follows this order any more.
DROP INDEX ops.watermarks_by_due;

-- Written out: the tables' descriptions are also read from these files, where no database is at hand.
COMMENT ON COLUMN warehouse.contacts.cause IS 'Why this version came to be: source (a reading brought it), deleted, revived (read again after a deletion); push and normaliser are not used yet';
COMMENT ON COLUMN warehouse.contacts.deleted_at IS 'When the request was sent that confirmed its absence at the source; the other columns keep what was last known';
COMMENT ON COLUMN warehouse.communications.cause IS 'Why this version came to be: source (a reading brought it), deleted, revived (read again after a deletion); push and normaliser are not used yet';
COMMENT ON COLUMN warehouse.communications.deleted_at IS 'When the request was sent that confirmed its absence at the source; the other columns keep what was last known';
COMMENT ON COLUMN warehouse.approval_requests.cause IS 'Why this version came to be: source (a reading brought it), deleted, revived (read again after a deletion); push and normaliser are not used yet';
COMMENT ON COLUMN warehouse.approval_requests.deleted_at IS 'When the request was sent that confirmed its absence at the source; the other columns keep what was last known';
COMMENT ON COLUMN warehouse.tenants.cause IS 'Why this version came to be: source (a reading brought it), deleted, revived (read again after a deletion); push and normaliser are not used yet';
COMMENT ON COLUMN warehouse.tenants.deleted_at IS 'When the request was sent that confirmed its absence at the source; the other columns keep what was last known';
COMMENT ON COLUMN warehouse.plans.cause IS 'Why this version came to be: source (a reading brought it), deleted, revived (read again after a deletion); push and normaliser are not used yet';
COMMENT ON COLUMN warehouse.plans.deleted_at IS 'When the request was sent that confirmed its absence at the source; the other columns keep what was last known';
COMMENT ON COLUMN warehouse.specifications.cause IS 'Why this version came to be: source (a reading brought it), deleted, revived (read again after a deletion); push and normaliser are not used yet';
COMMENT ON COLUMN warehouse.specifications.deleted_at IS 'When the request was sent that confirmed its absence at the source; the other columns keep what was last known';
COMMENT ON COLUMN warehouse.contact_lists.cause IS 'Why this version came to be: source (a reading brought it), deleted, revived (read again after a deletion); push and normaliser are not used yet';
COMMENT ON COLUMN warehouse.contact_lists.deleted_at IS 'When the request was sent that confirmed its absence at the source; the other columns keep what was last known';
COMMENT ON COLUMN warehouse.campaigns.cause IS 'Why this version came to be: source (a reading brought it), deleted, revived (read again after a deletion); push and normaliser are not used yet';
COMMENT ON COLUMN warehouse.campaigns.deleted_at IS 'When the request was sent that confirmed its absence at the source; the other columns keep what was last known';
