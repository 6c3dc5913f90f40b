"""Kills of pushes, on each side of every commit and request, with the sandbox's log as oracle.

`python -m sync_pipeline_tests.pushes --points 200`; a sample is in `database/test_push_kills`.
"""
