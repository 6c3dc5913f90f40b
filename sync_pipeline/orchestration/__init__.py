"""Dagster's side: assets, jobs, schedules, resources. The only package that imports dagster."""
