"""All fits of a grid: starts and trajectories are shared, threads take one each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from segrun.algorithms.native import AmbiguousError
from segrun.algorithms.native.kmeans import lloyd
from segrun.algorithms.native.kmeans.lloyd import Tiles, tiles
from segrun.algorithms.native.kmeans.seeding import n_trials, starting_rows

#: Multiplications after which a kernel returns: some 0.1 s.
_STEP_WORK = 4e9
#: Below this share of the rows' own squares, the inertia is added up row by row.
_CANCELLING = 1e-3
#: Rows equally far from their centres, and inertias, that differ by less do so by rounding.
_CLOSE = 1e-9


@dataclass(frozen=True)
class KMeansFit:
    """A fit of k-means."""

    labels: NDArray[np.int32]  # (n_samples,): cluster of every row
    #: (n_clusters, n_features): the centres, of the rows as they were given
    centers: NDArray[np.float64]
    inertia: float  # sum of the squared distances to them
    n_iter: int  # iterations


def follow(
    tiles: Tiles,
    centers: NDArray[np.float64],
    tols: Sequence[float],
    max_iter: int,
    goes_on: Callable[[], bool],
) -> list[KMeansFit]:
    """Iterate from `centers` and return the fit at each tolerance."""
    distinct = np.array(sorted(set(tols), reverse=True))
    n_samples, n_features = tiles.X.shape
    n_clusters = len(centers)
    centers = np.array(centers, np.float64, order="C")
    labels = np.full(n_samples, -1, np.int32)
    sums, counts = np.zeros((n_clusters, n_features)), np.zeros(n_clusters, np.int64)
    counters, n_iter = np.zeros(4, np.int64), np.zeros(len(distinct), np.int64)
    taken_labels = np.empty((len(distinct), n_samples), np.int32)
    taken_centers = np.empty((len(distinct), n_clusters, n_features))
    n_steps = max(1, int(_STEP_WORK / (n_samples * (n_clusters + 3) * n_features)))
    status = lloyd.PAUSED
    while status == lloyd.PAUSED:
        if not goes_on():
            raise InterruptedError("k-means was stopped")
        status = lloyd.advance(
            tiles.blocks, tiles.X, tiles.norms, centers, labels, sums, counts, distinct, max_iter,
            counters, taken_labels, taken_centers, n_iter, n_steps,
        )  # fmt: skip
        if status == lloyd.EMPTY:
            new = _with_moved(tiles.X, centers, labels, sums, counts)
            status = lloyd.end_step(
                new, centers, labels, distinct, max_iter, counters, taken_labels, taken_centers,
                n_iter,
            )  # fmt: skip
    if status == lloyd.TIED:
        raise AmbiguousError("rounding decides which of two centres is nearer")
    found = [
        KMeansFit(
            taken_labels[t], c + tiles.mean, _inertia(tiles, c, taken_labels[t]), int(n_iter[t])
        )
        for t, c in enumerate(taken_centers)
    ]
    of_tol = dict(zip(distinct.tolist(), found, strict=True))
    return [of_tol[tol] for tol in tols]


def _with_moved(
    X: NDArray[np.float64],
    centers: NDArray[np.float64],
    labels: NDArray[np.int32],
    sums: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the new centres, those without a row moved to the rows farthest from theirs.

    As scikit-learn has it, the choice among the farthest rows included.
    """
    empty = np.flatnonzero(counts == 0)
    distances = ((X - centers[labels]) ** 2).sum(axis=1)
    far = np.argpartition(distances, -len(empty))[: -len(empty) - 1 : -1]
    top = np.sort(distances)[-len(empty) - 1 :]
    if not np.all(np.diff(top) > _CLOSE * top[-1]):
        raise AmbiguousError("rounding decides which of two rows a cluster without rows moves to")
    sums, counts = sums.copy(), counts.copy()
    for cluster, row in zip(empty, far, strict=True):
        sums[cluster] = X[row]
        sums[labels[row]] -= X[row]
        counts[cluster] = 1
        counts[labels[row]] -= 1
    if not counts.all():
        raise AmbiguousError("a cluster lost its only row to one without rows")
    new: NDArray[np.float64] = sums / counts[:, None]
    return new


def _inertia(tiles: Tiles, centers: NDArray[np.float64], labels: NDArray[np.int32]) -> float:
    n_clusters = len(centers)
    counts = np.bincount(labels, minlength=n_clusters)
    sums = np.empty_like(centers)
    lloyd.add_up(tiles.X, labels, sums)
    lengths = np.einsum("ij,ij->i", centers, centers)
    inertia = tiles.squares - 2 * float((centers * sums).sum()) + float(counts @ lengths)
    if inertia > _CANCELLING * tiles.squares:
        return inertia
    return float(((tiles.X - centers[labels]) ** 2).sum())


#: Multiplications after which what is fitted is handed over, so that it can be stored: at fifty
#: iterations, some 5 s of one thread.
_WAVE_WORK = 2e11


K = TypeVar("K")
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class Start:
    """What fits that follow the same trajectories have in common."""

    n_clusters: int  # as in scikit-learn's KMeans; `n_init` resolved
    max_iter: int  # as in scikit-learn's KMeans; `n_init` resolved
    n_init: int  # as in scikit-learn's KMeans; `n_init` resolved
    init: Any  # (n_clusters, n_features): k-means++, random or centres
    random_state: Any  # what starts are drawn from

    @property
    def key(self) -> object:
        """Equal for starts that are the same; equal to nothing where chance is not repeatable."""
        if isinstance(self.init, str):
            if not isinstance(self.random_state, (int, np.integer)):
                return self
            drawn: tuple[Any, ...] = (self.init, int(self.random_state))
        else:
            drawn = (np.asarray(self.init, np.float64).tobytes(),)
        return (self.n_clusters, self.max_iter, self.n_init, *drawn)

    @property
    def draw(self) -> tuple[int, int] | None:
        """Seed and tries of the k-means++ that starts of several n_clusters share."""
        plain = self.n_init == 1 and isinstance(self.init, str) and self.init == "k-means++"
        if plain and isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state), n_trials(self.n_clusters)
        return None


@dataclass(frozen=True)
class _Group:
    """The fits that share a start: their numbers and tolerances."""

    start: Start
    fits: list[int]
    tols: list[float]


def fit_grid(
    X: NDArray[np.float64], starts: Sequence[Start], tols: Sequence[float], n_threads: int
) -> Iterator[KMeansFit | AmbiguousError]:
    """Yield fits with the labels that scikit-learn's KMeans gives at one thread.

    Fits that differ in their tolerance alone follow one trajectory, and the k-means++ of one
    seed is drawn once for several n_clusters. A trajectory is one thread's work, so results do
    not depend on the number of threads.
    """
    rows = tiles(X)
    found: dict[int, KMeansFit | AmbiguousError] = {}
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
) -> list[list[KMeansFit] | AmbiguousError]:
    """Fit the groups of one wave side by side, those with most clusters first."""
    stopped = Event()

    def goes_on() -> bool:
        return not stopped.is_set()

    def fit(number: int) -> list[KMeansFit] | AmbiguousError:
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


def fit_start(
    tiles: Tiles,
    start: Start,
    tols: Sequence[float],
    drawn: NDArray[np.int64] | None,
    goes_on: Callable[[], bool],
) -> list[KMeansFit] | AmbiguousError:
    """Return the fit at each tolerance, the error where rounding decides one."""
    random_state = check_random_state(start.random_state)
    best: list[KMeansFit] = []
    try:
        for _ in range(start.n_init):
            if drawn is None:
                chosen = centers(tiles, start, random_state)
            else:
                chosen = tiles.X[drawn[: start.n_clusters]]
            found = follow(tiles, chosen, tols, start.max_iter, goes_on)
            best = [_better(*pair) for pair in zip(best, found, strict=True)] if best else found
    except AmbiguousError as error:
        return error
    return best


def _better(best: KMeansFit, new: KMeansFit) -> KMeansFit:
    """Choose as scikit-learn does: a lower inertia counts where the clusters are others."""
    if _same_clusters(new.labels, best.labels):
        return best
    if abs(new.inertia - best.inertia) <= _CLOSE * best.inertia:
        raise AmbiguousError("rounding decides which of two starts is better")
    return new if new.inertia < best.inertia else best


def _same_clusters(labels: NDArray[np.int32], others: NDArray[np.int32]) -> bool:
    """Tell whether each cluster of `labels` lies in one of `others`."""
    of_label = np.full(int(labels.max()) + 1, -1, np.int32)
    of_label[labels] = others
    return bool(np.array_equal(of_label[labels], others))


def centers(tiles: Tiles, start: Start, random_state: np.random.RandomState) -> NDArray[np.float64]:
    """Return starting centres, of centred rows, drawn as scikit-learn draws them."""
    if not isinstance(start.init, str):
        given: NDArray[np.float64] = np.array(start.init, np.float64) - tiles.mean
        return given
    n_samples = len(tiles.X)
    if start.init == "random":
        weights = np.ones(n_samples)
        rows = random_state.choice(
            n_samples, size=start.n_clusters, replace=False, p=weights / weights.sum()
        )
    else:
        rows = starting_rows(tiles, start.n_clusters, n_trials(start.n_clusters), random_state)
    return tiles.X[rows]
