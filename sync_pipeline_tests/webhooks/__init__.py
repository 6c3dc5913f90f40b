"""The receiver of webhooks under trouble and load; each campaign is a command of its own.

`python -m sync_pipeline_tests.webhooks.kills --points 200`, `….fuzz --requests 100000` and
`….memory --events 1000000`; samples of the first two are in `database/test_webhook_storms`.
"""
