"""Field names and value forms of each API, once: for reading now, for writing later.

Tables only. What a value form does is in `normalise.forms`; what a column means is in `entities`.
"""
