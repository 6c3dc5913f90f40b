-- Updates that report the end of a tenant's work may wait for approval, too.
UPDATE push.transitions
SET meaning = 'planned by a model that is not automatic, or a report to RoSaaS that is to be approved'
WHERE from_status = '' AND to_status = 'held';
