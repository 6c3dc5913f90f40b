"""Records as received become frames in canonical form: pure functions, no I/O.

One module per entity over shared value forms. Each returns a `Normalised`: a frame whose columns
are exactly those of `frame.schema`, and the records that break the contract.
"""
