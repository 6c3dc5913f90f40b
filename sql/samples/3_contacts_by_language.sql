-- What languages do contacts speak, and how many of them may be written to?
SELECT
    coalesce(language, '(not known)') AS language,
    count(*) AS contacts,
    count(*) FILTER (WHERE email IS NOT NULL AND email_opt_out IS NOT TRUE) AS reachable_by_email
FROM warehouse.contacts
WHERE deleted_at IS NULL
GROUP BY 1
ORDER BY contacts DESC, language
LIMIT 10
