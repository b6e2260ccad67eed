"""Worker processes that live long, one job at a time each, with a ceiling of memory and of time.

The parent calls ``run``, which has a ``crew`` of workers: a ``handle`` on each, with its ``family``
of processes. The ``worker`` is what runs in the process that ``spawn`` starts, its ``reply`` what
it sends back. A ``guard`` outlives the parent.
"""

from segrun.sweep.pool.limits import Limits
from segrun.sweep.pool.result import Result
from segrun.sweep.pool.run import run_isolated

__all__ = ["Limits", "Result", "run_isolated"]
