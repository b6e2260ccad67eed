"""The estimators that the kernels fit, each a subclass of scikit-learn's of the same name."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sklearn.cluster
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from sklearn.utils.validation import validate_data
from threadpoolctl import threadpool_limits

from segrun.algorithms.native import AmbiguousError, dbscan, kmeans
from segrun.algorithms.native.jit import n_threads
from segrun.algorithms.native.kmeans import KMeansFit, Start

#: Squares of larger values may not fit into single precision.
_LARGEST = 1e15


def _unfit(X: Any) -> str:
    """Return why the kernels cannot fit such a table, or an empty text."""
    if not isinstance(X, np.ndarray) or X.dtype != np.float64 or X.ndim != 2:
        return "the kernels fit dense tables of float64"
    # What is no number is scikit-learn's to complain of.
    if not X.size or not max(X.max(), -X.min()) < _LARGEST:
        return f"the kernels fit values below {_LARGEST:g}"
    return ""


def _fit_alone(model: Any, X: Any, sample_weight: Any) -> Any:
    """Fit an estimator that has `uncovered`, `fit_together` and `fit_stock`; return it."""
    reason = model.uncovered() or _unfit(X)
    if sample_weight is not None:
        reason = "the kernels know no weights"
    if reason:
        return model.fit_stock(X, sample_weight, reason)
    model._validate_params()
    rows = validate_data(model, X, dtype=np.float64, order="C")
    return next(model.fit_together([model], rows))


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
        fitted: DBSCAN = _fit_alone(self, X, sample_weight)
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
        reasons = [model.uncovered() or _unfit(X) for model in models]
        able = [m for m, reason in zip(models, reasons, strict=True) if not reason]
        notes: list[str] = []
        grid = [(float(m.eps), int(m.min_samples)) for m in able]
        threads = models[0]._threads()
        try:
            fits = dbscan.fit_grid(X, grid, threads, note=notes.append)
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


class KMeans(sklearn.cluster.KMeans):  # type: ignore[misc]
    """k-means with the labels of scikit-learn's at one thread.

    Attributes
    ----------
    native_reason_ : str
        Why scikit-learn itself fitted it; empty if the kernels did.
    """

    def uncovered(self) -> str:
        """Return why the kernels cannot fit these parameters, or an empty text."""
        if self.algorithm != "lloyd":
            return f"the kernels have no algorithm={self.algorithm}"
        if callable(self.init):
            return "the kernels take no function as init"
        if not isinstance(self.init, str) and self.n_init not in (1, "auto"):
            return "the kernels take an array as init with n_init=1 only"
        return "the kernels say nothing when verbose" if self.verbose else ""

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> KMeans:  # noqa: ARG002
        """Fit by the kernels where they can, else by scikit-learn; see there."""
        fitted: KMeans = _fit_alone(self, X, sample_weight)
        return fitted

    def fit_stock(self, X: Any, sample_weight: Any, reason: str) -> KMeans:
        """Let scikit-learn fit, for a reason."""
        # At one thread: with more, sums are added up in another order at every fit.
        with threadpool_limits(1):
            super().fit(X, sample_weight=sample_weight)
        self.native_reason_ = reason
        return self

    @staticmethod
    def fit_together(models: Sequence[KMeans], X: NDArray[Any]) -> Iterator[KMeans]:
        """Yield the models, each fitted to X of shape (n_samples, n_features)."""
        X = np.ascontiguousarray(X)
        for model in models:
            model._validate_params()
        reasons = [m.uncovered() or _unfit(X) or m._misfit(X) for m in models]
        able = [m for m, reason in zip(models, reasons, strict=True) if not reason]
        # As in scikit-learn, the tolerance is relative to the features' mean variance.
        variance = float(np.mean(np.var(X, axis=0))) if able else 0.0
        starts = [Start(m.n_clusters, m.max_iter, m._starts(), m.init, m.random_state)
                  for m in able]  # fmt: skip
        fits = kmeans.fit_grid(X, starts, [m.tol * variance for m in able], n_threads())
        for model, reason in zip(models, reasons, strict=True):
            fitted = None if reason else next(fits)
            if isinstance(fitted, KMeansFit):
                model._tol = model.tol * variance
                yield model._take(fitted, X.shape[1])
            else:
                yield model.fit_stock(X, None, reason or str(fitted))

    def _misfit(self, X: NDArray[Any]) -> str:
        """Return what scikit-learn will complain of, in better words, or an empty text."""
        if len(X) < self.n_clusters:
            return "fewer rows than clusters"
        wanted = (self.n_clusters, X.shape[1])
        if not isinstance(self.init, str) and np.shape(self.init) != wanted:
            return f"init is not of shape {wanted}"
        return ""

    def _starts(self) -> int:
        if self.n_init == "auto":
            return 10 if isinstance(self.init, str) and self.init == "random" else 1
        return int(self.n_init)

    def _take(self, fitted: KMeansFit, n_features: int) -> KMeans:
        """Be what scikit-learn's ``fit`` leaves."""
        self.cluster_centers_, self.labels_ = fitted.centers, fitted.labels
        self.inertia_, self.n_iter_ = fitted.inertia, fitted.n_iter
        self.n_features_in_, self._n_features_out = n_features, self.n_clusters
        self._n_init, self._algorithm = self._starts(), self.algorithm
        self._n_threads = _openmp_effective_n_threads()
        self.native_reason_ = ""
        n_found = np.count_nonzero(np.bincount(fitted.labels))
        if n_found < self.n_clusters:
            warnings.warn(
                f"Number of distinct clusters ({n_found}) found smaller than n_clusters "
                f"({self.n_clusters}). Possibly due to duplicate points in X.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self
