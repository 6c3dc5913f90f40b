"""How fast and how frugal: measured, not tested; `make bench`."""
