"""The pre-flight of a run: what it will take, and a warning or refusal of what is too much."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import Experiment, PreflightAction, PreflightConfig, TransformConfig
from segrun.errors import PreflightError
from segrun.formats import in_bytes, in_seconds
from segrun.memory import available_bytes, resident_bytes
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import SparseColumns
from segrun.rundir.timings import Timing, Timings
from segrun.runner.preflight.cost import Cost, Task, assess

log = logging.getLogger("segrun.runner.preflight")


@dataclass(frozen=True)
class Flight:
    """What the stages were expected to take: of memory on top of `resident_bytes`, and disk.

    `costs` is empty where nobody asked; `n_before` timings are of earlier stages.
    """

    costs: Sequence[Cost]
    resident_bytes: int
    n_before: int

    def cheaper(self, stage: str) -> tuple[str, ...]:
        """Return what would make a stage cheaper."""
        return next((cost.cheaper for cost in self.costs if cost.stage == stage), ())

    def table(self, timings: Timings) -> list[dict[str, Any]]:
        """Return the rows of ``preflight.csv``: estimates, and beside them what happened so far."""
        return [self._row(cost, timings.rows[self.n_before :]) for cost in self.costs]

    def _row(self, cost: Cost, rows: Sequence[Timing]) -> dict[str, Any]:
        own = [row for row in rows if row.stage == cost.stage]
        peaks = [row.peak_rss_bytes for row in own if row.peak_rss_bytes is not None]
        known = cost.extra_bytes is not None
        return {
            "stage": cost.stage,
            "wall_seconds": sum(row.wall_seconds for row in own) if own else None,
            "about_peak_bytes": self.resident_bytes + (cost.extra_bytes or 0) if known else None,
            "peak_rss_bytes": max(peaks, default=None),
            "about_disk_bytes": cost.disk_bytes,
            "basis": cost.basis,
        }


def preflight(
    experiment: Experiment,
    X: NDArray[np.float64],
    points: Sequence[Mapping[str, Any]],
    timings: Timings,
    directory: Path,
) -> Flight:
    """Estimate what the stages left will take, tell it, and do what `preflight.action` says."""
    config, held, n_before = experiment.preflight, resident_bytes(), len(timings.rows)
    if config.action is PreflightAction.none:
        return Flight([], 0, n_before)
    flight = Flight(assess(Task(experiment, points, len(X), X.shape[1], X)), held, n_before)
    known = [cost.extra_bytes for cost in flight.costs if cost.extra_bytes is not None]
    disk = sum(cost.disk_bytes for cost in flight.costs)
    unknown = [cost.stage for cost in flight.costs if cost.extra_bytes is None]
    log.info(
        "about %s of memory%s, %s on disk",
        in_bytes(held + max(known)),
        f" ({', '.join(unknown)} not known)" if unknown else "",
        in_bytes(disk),
    )
    found = [_memory(cost, timings.n_parallel, config) for cost in flight.costs]
    _object([text for text in (*found, _disk(flight.costs, directory)) if text], config)
    return flight


def check_dense(customers: Customers, experiment: Experiment, n_parallel: int = 1) -> None:
    """Warn or refuse, as `preflight.action` says, before sparse features are filled with zeros."""
    config = experiment.preflight
    if config.action is PreflightAction.none or not isinstance(customers.columns, SparseColumns):
        return
    n_bytes, basis = filled_bytes(customers.columns, experiment.transform)
    cheaper = (
        "transform=pca_10 or svd_10", "fewer items (features.min_item_ratings)",
        "fewer users (features.min_user_ratings)",
    )  # fmt: skip
    text = _memory(Cost("transform", n_bytes, basis, cheaper=cheaper), n_parallel, config)
    _object([text] if text else [], config)


def filled_bytes(columns: SparseColumns, config: TransformConfig) -> tuple[int, str]:
    """Return the bytes that a transform of sparse features takes at its most, and for what."""
    n_samples, n_items = columns.matrix.shape
    if config.pca is not None and config.pca < 1:
        # The covariance, its eigenvectors and room to find them.
        return 4 * 8 * n_items**2, f"all components of {n_items:,} items"
    n_components = config.svd or config.pca
    if n_components is not None:
        return int(8 * n_components * (n_samples + 3 * n_items)), f"{n_components:g} components"
    # And the fit's own copy.
    basis = f"the full matrix of {n_samples:,} users x {n_items:,} items, twice"
    return 2 * columns.dense_bytes, basis


def _memory(cost: Cost, n_parallel: int, config: PreflightConfig) -> str:
    """Say that a stage needs more memory than is allowed, what for, and what would take less."""
    if cost.extra_bytes is None:
        return ""
    needed = resident_bytes() + cost.extra_bytes
    has = resident_bytes() + available_bytes() // n_parallel
    allowed = config.max_memory_share * has
    if needed <= allowed:
        return ""
    return (
        f"{cost.stage} needs about {in_bytes(needed)} of memory ({cost.basis}), and "
        f"preflight.max_memory_share={config.max_memory_share:g} allows {in_bytes(allowed)} of the "
        f"{in_bytes(has)} that this run can have. {_cure(cost.cheaper)}"
    )


def _disk(costs: Sequence[Cost], directory: Path) -> str:
    folder = next(path for path in (directory, *directory.absolute().parents) if path.is_dir())
    n_bytes, free = sum(cost.disk_bytes for cost in costs), shutil.disk_usage(folder).free
    if n_bytes <= free:
        return ""
    cheaper = tuple(text for cost in costs if cost.disk_bytes for text in cost.cheaper)
    return (
        f"models and labels take about {in_bytes(n_bytes)}, and the disk has {in_bytes(free)} "
        f"left. {_cure(cheaper)}"
    )


def _cure(cheaper: Sequence[str]) -> str:
    """Say what would take less."""
    return f"Cheaper: {'; '.join((*cheaper, 'fewer rows (augmentation.rows)'))}"


def _object(wrong: Sequence[str], config: PreflightConfig) -> None:
    """Refuse or warn of what is too much."""
    if wrong and config.action is PreflightAction.refuse:
        raise PreflightError(
            f"{'. '.join(wrong)}. These are estimates; preflight.action=warn runs it all the same"
        )
    for text in wrong:
        log.warning("%s", text)


class TooLongError(Exception):
    """Exact scores will take too long, and a sample is allowed instead."""


class TimeLimit:
    """Holds a run to `preflight.max_seconds`, counted from here on."""

    def __init__(self, config: PreflightConfig) -> None:
        self._config, self._began, self._is_told = config, time.monotonic(), False
        self._first = "", 0.0, 0.0

    def reach(
        self, stage: str, share: float, cheaper: Sequence[str], *, can_sample: bool = False
    ) -> None:
        """Judge by the share of a stage that is done whether the run will take too long."""
        action, most = self._config.action, self._config.max_seconds
        if most is None or action is PreflightAction.none:
            return
        taken = time.monotonic() - self._began + self._left(stage, share)
        if taken <= most:
            return
        if can_sample and share < 1 and action is PreflightAction.sample:
            raise TooLongError(f"with all of them the run takes about {in_seconds(taken)}")
        if self._is_told:
            return
        self._is_told = True
        text = (
            f"the run takes about {in_seconds(taken)}, by the {share:.0%} of {stage} that is done: "
            f"more than preflight.max_seconds={most:g} allows. {_cure(cheaper)}"
        )
        if action is PreflightAction.refuse:
            raise PreflightError(f"{text}. preflight.action=warn runs it all the same")
        log.warning("%s", text)

    def _left(self, stage: str, share: float) -> float:
        """Return the seconds that are left of a stage, 0 before its second piece is done."""
        now = time.monotonic()
        if self._first[0] != stage and share > 0:
            # What comes before the first piece, such as loading a kernel, comes once.
            self._first = stage, share, now
        _, first, at = self._first
        return (now - at) / (share - first) * (1 - share) if share > first else 0.0
