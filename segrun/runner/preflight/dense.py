"""What sparse features need where they are filled with zeros, judged before that is done."""

from __future__ import annotations

import logging

from segrun.config import Experiment, PreflightAction, TransformConfig
from segrun.errors import PreflightError
from segrun.formats import in_bytes
from segrun.memory import available_bytes, resident_bytes
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import SparseColumns

log = logging.getLogger("segrun.runner.preflight")


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


def check(customers: Customers, experiment: Experiment, n_parallel: int = 1) -> None:
    """Warn or refuse, as `preflight.action` says, where the memory is not enough.

    Parameters
    ----------
    customers : Customers
        What is to be transformed; nothing happens unless its features are sparse.
    experiment : Experiment
        The transform, and what is allowed.
    n_parallel : int, default=1
        Runs that go on side by side.

    Raises
    ------
    PreflightError
        If it is too much and the action is refuse.
    """
    config = experiment.preflight
    if config.action is PreflightAction.none or not isinstance(customers.columns, SparseColumns):
        return
    n_bytes, basis = filled_bytes(customers.columns, experiment.transform)
    needed = resident_bytes() + n_bytes
    has = resident_bytes() + available_bytes() // n_parallel
    if needed <= config.max_memory_share * has:
        return
    said = (
        f"transform needs about {in_bytes(needed)} of memory ({basis}), and "
        f"preflight.max_memory_share={config.max_memory_share:g} allows "
        f"{in_bytes(config.max_memory_share * has)} of the {in_bytes(has)} that this run can have. "
        "Cheaper: transform=pca_10 or svd_10; fewer items (features.min_item_ratings); fewer users "
        "(features.min_user_ratings)"
    )
    if config.action is PreflightAction.refuse:
        raise PreflightError(
            f"{said}. These are estimates; preflight.action=warn runs it all the same"
        )
    log.warning("%s", said)
