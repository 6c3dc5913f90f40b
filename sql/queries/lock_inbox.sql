-- One writer at a time: a twin that another one is just storing would not be seen.
SELECT pg_advisory_xact_lock(hashtextextended('sync-pipeline webhook inbox', 0))
