"""Groups of commands, one module each: `sync-pipeline GROUP COMMAND`.

A command checks its use, calls the work and shows what came of it; `cli` puts them together.
"""
