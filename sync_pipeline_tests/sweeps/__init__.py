"""Sweeps of lists that move under the reader, judged by the lists' own history.

`python -m sync_pipeline_tests.sweeps --lists 20000` is the long run. The suite plays the same with
Hypothesis, which looks for the smallest counter-example (properties/test_sweeps.py).
"""
