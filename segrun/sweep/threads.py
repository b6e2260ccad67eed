"""The thread budget: jobs side by side on one machine share its cores."""

from __future__ import annotations

import os

#: Read by a library when it is loaded.
VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)  # fmt: skip

_done = False


def share(n_parallel: int) -> None:
    """Limit this process to its share of the cores, once, before it does its first job.

    Variables reach what is loaded later (OpenMP, polars, numba), threadpoolctl what is loaded
    already, and oneDAL asks threadpoolctl. What the user has set stays.

    Parameters
    ----------
    n_parallel : int
        Jobs that can run side by side on this machine.
    """
    global _done  # noqa: PLW0603 - what is limited is the process
    if _done or n_parallel <= 1:
        return
    _done = True
    import threadpoolctl

    from segrun.rundir.environment import usable_cores

    n_threads = max(1, usable_cores() // n_parallel)
    for name in VARIABLES:
        os.environ.setdefault(name, str(n_threads))
    threadpoolctl.threadpool_limits(n_threads)
