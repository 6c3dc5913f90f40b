"""Kill pulls, their PostgreSQL and their connections at named points; compare what comes of it.

A world that stands still is read, changes, is read twice, changes back and is read twice: once
undisturbed, and then with a strike in each run, which is begun again until it is complete. Every
table, history, sum and proof has to be the same. `python -m sync_pipeline_tests.crashes`.
"""
