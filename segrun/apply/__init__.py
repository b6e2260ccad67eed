"""``segrun apply``: the segments of new customers, by a finished run."""

from segrun.apply.apply import Applied, Wanted, apply
from segrun.apply.command import apply_command

__all__ = ["Applied", "Wanted", "apply", "apply_command"]
