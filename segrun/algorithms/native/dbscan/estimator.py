"""scikit-learn's DBSCAN, fitted by the kernels where they can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sklearn.cluster
from numpy.typing import NDArray

from segrun.algorithms.native.alone import fit_alone
from segrun.algorithms.native.dbscan.grid import fit_grid
from segrun.algorithms.native.dbscan.points import AmbiguousError
from segrun.algorithms.native.jit import n_threads
from segrun.algorithms.native.table import unfit


class DBSCAN(sklearn.cluster.DBSCAN):  # type: ignore[misc]
    """DBSCAN with scikit-learn's labels and core rows.

    Attributes
    ----------
    native_reason_ : str
        Why scikit-learn itself fitted it; empty if the kernels did.
    native_note_ : str
        What made the kernels slow; mostly empty.
    """

    def uncovered(self) -> str:
        """Return why the kernels cannot fit these parameters, or an empty text."""
        if self.metric != "euclidean" or self.metric_params:
            return f"the kernels have no metric={self.metric}"
        if self.algorithm != "auto":
            return f"the kernels round as algorithm=auto does, not {self.algorithm}"
        return ""

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> DBSCAN:  # noqa: ARG002
        """Fit by the kernels where they can, else by scikit-learn; see there."""
        fitted: DBSCAN = fit_alone(self, X, sample_weight)
        return fitted

    def fit_stock(self, X: Any, sample_weight: Any, reason: str) -> DBSCAN:
        """Let scikit-learn fit, for a reason."""
        super().fit(X, sample_weight=sample_weight)
        self.native_reason_, self.native_note_ = reason, ""
        return self

    @staticmethod
    def fit_together(models: Sequence[DBSCAN], X: NDArray[Any]) -> Iterator[DBSCAN]:
        """Yield the models, each fitted to X of shape (n_samples, n_features)."""
        X = np.ascontiguousarray(X)
        for model in models:
            model._validate_params()
        reasons = [model.uncovered() or unfit(X) for model in models]
        able = [m for m, reason in zip(models, reasons, strict=True) if not reason]
        notes: list[str] = []
        grid = [(float(m.eps), int(m.min_samples)) for m in able]
        threads = models[0]._threads()
        try:
            fits = fit_grid(X, grid, threads, note=notes.append)
        except AmbiguousError as error:
            reasons, fits = [reason or str(error) for reason in reasons], iter(())
        for model, reason in zip(models, reasons, strict=True):
            if reason:
                yield model.fit_stock(X, None, reason)
                continue
            try:
                labels, cores = next(fits)
            except AmbiguousError as error:
                yield model.fit_stock(X, None, str(error))
            else:
                yield model._take(X, labels, cores, "; ".join(notes))

    def _threads(self) -> int:
        # Negative means all cores but some, which is what kernels have anyway.
        asked = self.n_jobs is not None and self.n_jobs > 0
        return int(self.n_jobs) if asked else n_threads()

    def _take(
        self, X: NDArray[Any], labels: NDArray[np.int64], cores: NDArray[np.int64], note: str
    ) -> DBSCAN:
        """Be what scikit-learn's ``fit`` leaves."""
        self.labels_, self.core_sample_indices_ = labels, cores
        self.components_, self.n_features_in_ = X[cores].copy(), X.shape[1]
        self.native_reason_, self.native_note_ = "", note
        return self
