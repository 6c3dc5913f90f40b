"""Commands and groups of commands, one module each.

A command checks its use, calls the work and shows what came of it; `cli` puts them together.
"""
