"""One experiment to one run directory; `run.py` is the straight line."""
