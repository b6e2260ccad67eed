"""What segrun keeps between runs: the one place outside a run directory that it writes to."""

from segrun.data.cache.directory import cache_directory

__all__ = ["cache_directory"]
