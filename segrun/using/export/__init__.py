"""``segrun export``: the input of a run joined with its segments, to files and databases."""
