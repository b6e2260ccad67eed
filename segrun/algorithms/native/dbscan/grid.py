"""All points of a DBSCAN grid from one search.

Sources: M. Ester, H.-P. Kriegel, J. Sander, X. Xu, "A density-based algorithm for discovering
clusters in large spatial databases with noise", KDD 1996; the documentation of
`sklearn.cluster.DBSCAN`, whose labels these are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.native import AmbiguousError
from segrun.algorithms.native.dbscan import components, points
from segrun.algorithms.native.dbscan.hits import Found, Hits
from segrun.algorithms.native.dbscan.neighbours import SearchedRows, Told, buffers, lay_out, visit
from segrun.algorithms.native.dbscan.points import Labelling, NeighbourCounts
from segrun.algorithms.native.jit import spread

#: Bytes that the neighbours found may take.
BUDGET = 1 << 30
#: Bytes that points take which are worked on at once.
_POINT_BYTES = 1 << 28
#: From this share of all pairs on, the caller is told that the search was in vain.
_IN_VAIN = 0.5
#: Part of the search after which this is told.
_EARLY = 0.03
#: Fewer pairs are compared in no time.
_MANY_PAIRS = 1e8
#: Difference of two eps, relative to them, below which a pair may be in doubt at both.
_APART = 1e-9
#: Magnitudes whose squares are neither 0 nor infinite.
_SMALLEST, _LARGEST = 1e-140, 1e140

_UNCLEAR = "rounding decides which rows are within eps of each other"

Labels = tuple[NDArray[np.int64], NDArray[np.int64]]


def fit_grid(
    X: NDArray[np.float64],
    grid: Sequence[tuple[float, int]],
    n_threads: int,
    *,
    note: Callable[[str], None] | None = None,
    progress: Callable[[float], None] | None = None,
    budget: int = BUDGET,
) -> Iterator[Labels]:
    """Fit DBSCAN, metric euclidean, at every point of a grid."""
    X = np.ascontiguousarray(X, np.float64)
    if not grid:
        return iter(())
    if not len(X) or not np.isfinite(X).all():
        raise ValueError("X must have rows, of finite numbers.")
    eps = sorted({float(e) for e, _ in grid})
    if eps[0] < _SMALLEST or max(eps[-1], float(np.abs(X).max())) > _LARGEST:
        raise AmbiguousError("squares of distances are too large or too small for the computer")
    if any(larger - smaller <= _APART * larger for smaller, larger in pairwise(eps)):
        raise AmbiguousError("two eps differ by no more than distances are rounded")
    rows = lay_out(X, eps, n_threads)
    hits = buffers(rows, n_threads)
    worth_telling = len(rows.norms) ** 2 / 2 >= _MANY_PAIRS
    report = _reporter(note if worth_telling else None, progress)

    def told(fraction: float, share: float) -> None:
        if all(points.is_hopeless(rows, hits, e) for e in range(len(eps))):
            raise AmbiguousError(_UNCLEAR)
        report(fraction, share)

    told(0.0, 0.0)
    counted = points.count_neighbours(rows, hits, budget, told)
    if counted.store.overflown and note is not None:
        note("all neighbours do not fit into memory: they were searched three times")
    wanted = [(eps.index(e), int(min_samples)) for e, min_samples in grid]
    return map(_result, _outcomes(rows, hits, counted, wanted))


def _unheard(_fraction: float, _share: float) -> None:
    """Take no notice."""


def _result(outcome: Labels | AmbiguousError) -> Labels:
    if isinstance(outcome, AmbiguousError):
        raise outcome
    labels, cores = outcome
    return labels, cores


def _reporter(note: Callable[[str], None] | None, progress: Callable[[float], None] | None) -> Told:
    """Return what reports on the first search; a search in vain is reported early."""
    said = False

    def told(fraction: float, share: float) -> None:
        nonlocal said
        if progress is not None:
            progress(fraction)
        if note is not None and not said and fraction >= _EARLY and share >= _IN_VAIN:
            said = True
            note(f"{min(share, 1):.0%} of all pairs have to be compared")

    return told


def _outcomes(
    rows: SearchedRows,
    hits: list[Hits],
    counted: NeighbourCounts,
    wanted: Sequence[tuple[int, int]],
) -> Iterator[Labels | AmbiguousError]:
    """Yield the result at every point, a few being worked on at once."""
    place_of_row = rows.place_of_row()
    at_once = len(hits)
    if counted.store.overflown:
        at_once = max(1, _POINT_BYTES // (12 * len(rows.norms)))
    for start in range(0, len(wanted), at_once):
        some = wanted[start : start + at_once]
        clear = {w for w in some if counted.doubts[w[0]] is not None}
        begun = {w: points.begin(rows, counted, *w) for w in clear}
        join_all = _search_again if counted.store.overflown else _from_store
        join_all(rows, hits, counted, list(begun.values()))
        for w in some:
            try:
                if w not in begun:
                    raise AmbiguousError(_UNCLEAR)
                yield points.end(begun[w], rows, counted, place_of_row)
            except AmbiguousError as error:
                yield error


def _from_store(
    rows: SearchedRows, hits: list[Hits], counted: NeighbourCounts, begun: list[Labelling]
) -> None:
    def work(point: Labelling) -> None:
        for new in counted.store.found:
            points.join(point, new)
        points.number(point, rows)
        for new in counted.store.found:
            points.border(point, new)

    spread(work, begun, len(hits))


def _search_again(
    rows: SearchedRows, hits: list[Hits], _counted: NeighbourCounts, begun: list[Labelling]
) -> None:
    n_leaves, n_places = len(rows.longest), len(rows.norms)
    settled = np.full((len(begun), n_leaves), -1, np.int32)
    lock = Lock()
    n_new = 0

    def join(_k: int, new: Found) -> None:
        nonlocal n_new
        with lock:
            for point in begun:
                points.join(point, new)
            n_new += 1 + new.size()
            # As dear as joining that many.
            if n_new >= n_places:
                n_new = 0
                for p, point in enumerate(begun):
                    components.settle(point.cores, point.parents, n_places, settled[p])

    def border(_k: int, new: Found) -> None:
        with lock:
            for point in begun:
                points.border(point, new)

    visit(rows, hits, settled, join, _unheard)
    for p, point in enumerate(begun):
        points.number(point, rows)
        # Two leaves of core rows only have no border.
        components.settle(point.cores, np.zeros(n_places, np.int32), n_places, settled[p])
    visit(rows, hits, settled, border, _unheard)
