"""The receiver of webhooks and its inbox: stored first, answered then, worked off later.

What a webhook says is a hint. Nothing here reads a source or changes a row of `warehouse`.
"""
