-- An unchanged version is not written again.
INSERT INTO push.apis AS known (source, version) VALUES (:source, :version)
ON CONFLICT (source) DO UPDATE SET version = excluded.version
WHERE known.version <> excluded.version
