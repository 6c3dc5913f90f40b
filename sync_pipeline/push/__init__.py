"""Push: customer updates of the outbox back to their APIs, and what came of each.

Decisions are values in, values out (`decide`, the bodies); `deliver` has the requests, `cycle` the
workers. What is kept of an update is in `warehouse.outbox`.
"""
