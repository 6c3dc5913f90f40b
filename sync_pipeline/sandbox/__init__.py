"""The remote APIs on loopback: one process, one frozen world, nothing shared with the pipeline.

What belongs here: a world in canonical form, its rendering in each vendor's form, and the
servers that speak each vendor's protocol. What does not: anything imported from the rest of
`sync_pipeline`. The pipeline's mapping is proven by comparing its warehouse with this world,
and shared code would make both sides wrong together.
"""
