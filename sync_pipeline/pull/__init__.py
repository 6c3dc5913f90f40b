"""Reading streams into the warehouse: plan → sweep → sieve → normalise → load.

`run.pull_stream` is the way in. The modules are meant to be read in that order.
"""
