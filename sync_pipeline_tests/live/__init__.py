"""A world that changes while it is read, with faults: what is proven, what is found at last."""
