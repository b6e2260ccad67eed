"""The run directory: claimed, written atomically, finished, read and verified."""
