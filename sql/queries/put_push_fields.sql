INSERT INTO push.fields
SELECT f.* FROM jsonb_populate_recordset(CAST(NULL AS push.fields), CAST(:fields AS jsonb)) AS f
