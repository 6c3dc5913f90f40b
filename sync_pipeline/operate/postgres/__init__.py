"""An embedded PostgreSQL: a real server, found, initialised, started and stopped by this project.

Here belongs what is needed to have a server at all. What is done with it (schema, roles, queries)
belongs to `warehouse`; which URL is used belongs to `settings`.
"""

from sync_pipeline.operate.postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
