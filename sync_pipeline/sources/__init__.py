"""Speak to the remote APIs: requests, authentication, retries, politeness.

One module per API over one HTTP core. What leaves here is raw JSON bytes, split into records and
never interpreted: names and values are the business of `normalise`. No SQL, pandas or Dagster.
"""
