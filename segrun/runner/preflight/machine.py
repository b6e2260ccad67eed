"""What the machine has for this run: speed and number of its cores, memory, disk."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from segrun.memory import available_bytes, resident_bytes
from segrun.rundir.environment import usable_cores

#: Multiply-adds a second of one core of the machine that all constants of this room were measured
#: on (AVX-512; scikit-learn 1.9, scikit-learn-intelex 2026.2), by `multiply_adds`: so they hold
#: on others as far as those are faster or slower at this.
REFERENCE_MULTIPLY_ADDS = 25.5e9
#: Width of the matrices: too small for the linear algebra to spread over threads.
_WIDTH = 64
_PRODUCTS, _TRIES = 40, 5
#: However busy the machine is, a run gets some of it.
_LEAST_CORES = 0.25


@dataclass(frozen=True)
class Machine:
    """What this run can have.

    Attributes
    ----------
    speed : float
        Of one core, 1 where the constants were measured.
    free_cores : float
        Cores that this run may use and other processes leave to it.
    resident_bytes : int
        Memory that the process holds already.
    available_bytes : int
        Memory that it can take on top: its share, where runs go on side by side.
    disk_bytes : int
        Room on the disk that the results go to.
    """

    speed: float
    free_cores: float
    resident_bytes: int
    available_bytes: int
    disk_bytes: int

    def seconds(self, nanoseconds: float, *, parallel: bool = True) -> float:
        """Return the wall seconds of work that took one core of the reference so long."""
        cores = self.free_cores if parallel else min(1.0, self.free_cores)
        return nanoseconds * 1e-9 / (self.speed * cores)


def measure(directory: Path, n_parallel: int = 1, other_load: float | None = None) -> Machine:
    """Look at the machine, within some 10 ms.

    Parameters
    ----------
    directory : Path
        Where results go: its nearest folder that exists tells the disk.
    n_parallel : int
        Runs that go on side by side.
    other_load : float or None
        Cores kept busy by other processes, where that is known.
    """
    cores = float(usable_cores())
    # The load of others has the other runs in it.
    free = cores / n_parallel if n_parallel > 1 else cores - (other_load or 0.0)
    folder = next(path for path in (directory, *directory.absolute().parents) if path.is_dir())
    return Machine(
        multiply_adds() / REFERENCE_MULTIPLY_ADDS,
        max(_LEAST_CORES, free),
        resident_bytes(),
        available_bytes() // n_parallel,
        shutil.disk_usage(folder).free,
    )


def multiply_adds() -> float:
    """Return multiply-adds a second of one core, by CPU time: others on the machine do not count.

    Repeats within 1 % also where six processes wait for each core (measured).
    """
    import numpy as np

    left = np.linspace(0, 1, _WIDTH**2).reshape(_WIDTH, _WIDTH)
    out = np.empty_like(left)
    least = float("inf")
    for _ in range(_TRIES):
        began = time.process_time()
        for _ in range(_PRODUCTS):
            np.matmul(left, left, out=out)
        least = min(least, time.process_time() - began)
    # A clock too coarse for it tells nothing.
    return _PRODUCTS * _WIDTH**3 / least if least > 0 else REFERENCE_MULTIPLY_ADDS
