"""Field names and value forms of each API, once: for reading and for writing.

Tables only. What a value form does is in `normalise.forms`, and on the way back in `push.bodies`;
what a column means is in `entities`.
"""
