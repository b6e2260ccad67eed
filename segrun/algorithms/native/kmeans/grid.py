"""All fits of a grid: starts and trajectories are shared, threads take one each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native.kmeans.fit import fit_start
from segrun.algorithms.native.kmeans.seeding import starting_rows
from segrun.algorithms.native.kmeans.start import Start
from segrun.algorithms.native.kmeans.trajectory import AmbiguousError, Fitted
from segrun.algorithms.native.tiles import Tiles, tiles

#: Multiplications after which what is fitted is handed over, so that it can be stored: at fifty
#: iterations, some 5 s of one thread.
_WAVE_WORK = 2e11


K = TypeVar("K")
R = TypeVar("R")


@dataclass(frozen=True)
class _Group:
    """The fits that share a start: their numbers and tolerances."""

    start: Start
    fits: list[int]
    tols: list[float]


def fit_grid(
    X: NDArray[np.float64], starts: Sequence[Start], tols: Sequence[float], n_threads: int
) -> Iterator[Fitted | AmbiguousError]:
    """Yield fits with the labels that scikit-learn's KMeans gives at one thread.

    Fits that differ in their tolerance alone follow one trajectory, and the k-means++ of one
    seed is drawn once for several n_clusters. A trajectory is one thread's work, so results do
    not depend on the number of threads.

    Parameters
    ----------
    X : ndarray of float64, shape (n_samples, n_features)
        The rows; not changed.
    starts : sequence of Start
        Where each fit starts.
    tols : sequence of float
        Of each fit, the squared shift of the centres that ends it.
    n_threads : int
        Threads to use.

    Yields
    ------
    Fitted or AmbiguousError
        In the order given; the error where rounding decides the result.
    """
    rows = tiles(X)
    found: dict[int, Fitted | AmbiguousError] = {}
    following = 0
    for wave in _waves(_groups(starts, tols), X.size, n_threads):
        for group, fits in zip(wave, _fit(rows, wave, n_threads), strict=True):
            for place, number in enumerate(group.fits):
                found[number] = fits[place] if isinstance(fits, list) else fits
        while following in found:
            yield found.pop(following)
            following += 1


def _groups(starts: Sequence[Start], tols: Sequence[float]) -> list[_Group]:
    groups: dict[object, _Group] = {}
    for number, (start, tol) in enumerate(zip(starts, tols, strict=True)):
        group = groups.setdefault(start.key, _Group(start, [], []))
        group.fits.append(number)
        group.tols.append(tol)
    return list(groups.values())


def _waves(groups: Sequence[_Group], size: int, n_threads: int) -> Iterator[list[_Group]]:
    wave: list[_Group] = []
    work = 0.0
    for group in groups:
        wave.append(group)
        work += 50.0 * size * group.start.n_clusters * group.start.n_init
        if work > _WAVE_WORK * n_threads:
            yield wave
            wave, work = [], 0.0
    if wave:
        yield wave


def _fit(
    rows: Tiles, wave: Sequence[_Group], n_threads: int
) -> list[list[Fitted] | AmbiguousError]:
    """Fit the groups of one wave side by side, those with most clusters first."""
    stopped = Event()

    def goes_on() -> bool:
        return not stopped.is_set()

    def fit(number: int) -> list[Fitted] | AmbiguousError:
        group = wave[number]
        drawn = draws[group.start.draw] if group.start.draw is not None else None
        return fit_start(rows, group.start, group.tols, drawn, goes_on)

    order = sorted(range(len(wave)), key=lambda number: -wave[number].start.n_clusters)
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            draws = _draw(rows, wave, pool)
            fitted = _each(pool, fit, order)
        except BaseException:
            # The user's Ctrl-C, most likely: threads come to their end soon.
            stopped.set()
            raise
    return [fitted[number] for number in range(len(wave))]


def _draw(
    rows: Tiles, wave: Sequence[_Group], pool: ThreadPoolExecutor
) -> dict[tuple[int, int], NDArray[np.int64]]:
    """Draw each k-means++ once, for the largest n_clusters that needs it."""
    largest: dict[tuple[int, int], int] = {}
    for group in wave:
        draw = group.start.draw
        if draw is not None:
            largest[draw] = max(largest.get(draw, 0), group.start.n_clusters)

    def drawn(draw: tuple[int, int]) -> NDArray[np.int64]:
        seed, tries = draw
        return starting_rows(rows, largest[draw], tries, np.random.RandomState(seed))

    draws = sorted(largest, key=lambda draw: -largest[draw])
    return _each(pool, drawn, draws)


def _each(pool: ThreadPoolExecutor, work: Callable[[K], R], items: Sequence[K]) -> dict[K, R]:
    """Return what the work gives for each item, begun in this order."""
    futures = {item: pool.submit(work, item) for item in items}
    # Not by one long wait: once polars has run, Ctrl-C does not end it.
    while wait(futures.values(), timeout=0.1).not_done:
        pass
    return {item: future.result() for item, future in futures.items()}
