"""``segrun export``: the input of a run joined with its segments, to files and databases."""

from segrun.export.command import export_command

__all__ = ["export_command"]
