"""``segrun apply``: the segments of new customers, by a finished run."""

from segrun.using.apply.apply import Applied, apply
from segrun.using.placing.reading import Wanted

__all__ = ["Applied", "Wanted", "apply"]
