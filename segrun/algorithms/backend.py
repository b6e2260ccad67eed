"""Who fits: scikit-learn-intelex (oneDAL), own kernels or stock scikit-learn, and proof of it.

The only module that imports scikit-learn-intelex. It is never patched in globally: the
accelerated class is taken where it exists, what really ran is read from its log and from
the fitted object, and the model handed back is a stock scikit-learn object that loads
where scikit-learn-intelex is not installed.
"""

from __future__ import annotations

import inspect
import io
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from threading import Thread
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.algorithms.base import Clusterer, GridRoad
from segrun.algorithms.evidence import is_intelex, is_native, listening, to_stock, who_ran
from segrun.algorithms.foreign import checked_labels, off_stdout, only_errors
from segrun.algorithms.resolution import check_parameters, stock_class, within_rows
from segrun.config import BackendConfig, BackendName
from segrun.errors import BackendError

#: (class, backend that ran) of every fit in this process: the first one pays for lazy loading.
_fitted: set[tuple[type, str]] = set()


@dataclass(frozen=True)
class Fit:
    """One fit as it really ran."""

    model: Any  # the fitted stock scikit-learn estimator, whichever backend fitted it
    labels: NDArray[np.int64]  # cluster of each row, noise -1
    wall_seconds: float  # of `fit_predict` alone
    cpu_seconds: float  # that of all threads of the process
    asked: str  # onedal, native or sklearn
    ran: str  # the one that really ran
    reason: str  # why another backend ran, or what the backend replaced; empty if neither
    cold: bool  # first fit of this estimator class on this backend in this process
    warnings: tuple[str, ...]  # of Python, as `Category: message`, each once
    printed: str = ""  # by Python; what libraries below it print goes to stderr


class Backend:
    """Makes estimators and fits them. Fits must not overlap: they share logger and threads.

    Parameters
    ----------
    name : {"onedal", "native", "sklearn"}
        The backend asked for.
    require : bool, default=False
        Whether a fit that falls back to another backend is an error.
    """

    def __init__(self, name: str, require: bool = False) -> None:
        self.name = BackendName(name).value
        self.require = require

    def plain(self) -> Backend:
        """Return what makes estimators only to look at: its own libraries may still be loading."""
        return self if self.require else Backend("sklearn")

    def load(self) -> Thread | None:
        """Begin to load the backend's own libraries, which the first fit would wait for.

        The thread is to be joined before anything is timed that they may disturb.
        """
        names = {
            "onedal": ["sklearnex", "sklearnex.cluster"],
            "native": ["segrun.algorithms.native.estimators"],
        }
        if self.name not in names:
            return None
        thread = Thread(target=_load, args=(names[self.name],), daemon=True)
        thread.start()
        return thread

    def make(self, estimator: str, **params: Any) -> Clusterer:
        """Return an unfitted estimator: the backend's own where it has one, else the stock one.

        Parameters
        ----------
        estimator : str
            Class name such as KMeans (of ``sklearn.cluster`` or ``sklearn.mixture``), or a
            full import path.
        **params
            Parameters of the constructor.

        Raises
        ------
        ConfigError
            If there is no such estimator, or it lacks one of the parameters.
        """
        stock = stock_class(estimator)
        check_parameters(stock, params)
        native = self._native(stock)
        if native is not None and not (fast := native(**params)).uncovered():
            made: Clusterer = fast
        else:
            made = (self._accelerated(stock) or stock)(**params)
        return made

    def refusal(self, estimator: Clusterer) -> str:
        """Return why this backend cannot fit `estimator`, as far as known without data, or ''."""
        name = type(estimator).__name__
        intelex = is_intelex(type(estimator))
        if self.name == "native":
            return self._not_native(estimator)
        if intelex or self.name == "sklearn":
            wrong = intelex and self.name == "sklearn"
            return f"the plugin made scikit-learn-intelex's {name} itself" if wrong else ""
        if self._intelex[0] is None:
            return self._intelex[1]
        if self._accelerated(type(estimator)) is not None:
            return f"the plugin made scikit-learn's {name} itself, not through backend.make"
        return f"scikit-learn-intelex has no {name}"

    def _not_native(self, estimator: Clusterer) -> str:
        cls = type(estimator)
        if is_native(cls):
            return ""
        stock = next((c for c in cls.__mro__ if not is_intelex(c)), cls)
        native = self._native(stock)
        if native is None:
            return f"the kernels have no {cls.__name__}"
        own = set(stock().get_params(deep=False))
        params = {k: v for k, v in estimator.get_params(deep=False).items() if k in own}
        reason: str = native(**params).uncovered()
        return reason or f"the plugin made a {cls.__name__} itself, not through backend.make"

    def demand(self, estimator: Clusterer) -> None:
        """Refuse, before any data is read, an estimator that this backend lacks but must fit."""
        reason = self.refusal(estimator)
        if self.require and reason:
            raise self._fallback(estimator, reason)

    def fit(self, estimator: Clusterer, X: NDArray[Any]) -> Fit:
        """Fit `estimator` on X of shape (n_samples, n_features) and say what ran.

        Raises
        ------
        BackendError
            If the backend is required and another one ran.
        ValueError
            If the estimator does not give one whole number from -1 on per row.
        RuntimeError
            If the estimator raises what is no Exception, such as a panic of Rust.
        """
        within_rows(estimator, len(X))
        return self._witnessed(lambda: (estimator, estimator.fit_predict(X)), len(X), [])

    def fit_grid(
        self, road: GridRoad, X: NDArray[Any], points: Sequence[Mapping[str, Any]]
    ) -> Iterator[Fit]:
        """Yield the fit of each point as an algorithm's faster road gives it; see `fit`.

        The times are those since the fit before: what is shared is in the first one's. ValueError
        if the road ends early.
        """
        lines: list[str] = []
        fitted: list[Iterator[Any]] = []

        def step() -> tuple[Any, Any]:
            # A road that is no generator does its work here.
            if not fitted:
                fitted.append(iter(road(self, X, points)))
            model = next(fitted[0], None)
            if model is None:
                raise ValueError(f"fit_grid gives fewer than {len(points)} models")
            return model, model.labels_

        for _ in points:
            yield self._witnessed(step, len(X), lines)

    def _witnessed(
        self, work: Callable[[], tuple[Any, Any]], n_samples: int, said: list[str]
    ) -> Fit:
        """Time the work that gives a fitted estimator and its labels; find out what ran."""
        printed = io.StringIO()
        with (
            only_errors(),
            listening() as lines,
            warnings.catch_warnings(record=True) as caught,
            off_stdout(),
            redirect_stdout(printed),
        ):
            warnings.simplefilter("always")
            wall, cpu = time.perf_counter(), time.process_time()
            estimator, given = work()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        # A road that fits everything in its first step says everything there.
        said[:] = lines if any(".fit: " in line for line in lines) else [*said, *lines]
        labels = checked_labels(given, n_samples)
        ran, reason = who_ran(estimator, said)
        reason = self.refusal(estimator) or reason
        if self.require and ran != self.name:
            raise self._fallback(estimator, reason)
        cold = (type(estimator), ran) not in _fitted
        _fitted.add((type(estimator), ran))
        messages = dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught)
        return Fit(
            to_stock(estimator), labels, wall, cpu,
            self.name, ran, reason, cold, tuple(messages), printed.getvalue(),
        )  # fmt: skip

    def _fallback(self, estimator: Clusterer, reason: str) -> BackendError:
        return BackendError(
            f"backend.require=true, but {self.name} cannot fit {type(estimator).__name__}: "
            f"{reason}. Choose other parameters or another algorithm, or accept and record the "
            "fall-back with backend.require=false"
        )

    def _accelerated(self, stock: type) -> type | None:
        """Return the accelerated subclass of a stock class, None where there is none."""
        # Also where the kernels cannot: the next fastest.
        if self.name == "sklearn" or self._intelex[0] is None:
            return None
        found = getattr(self._intelex[0], stock.__name__, None)
        # A mere re-export would be the stock class itself.
        genuine = inspect.isclass(found) and issubclass(found, stock) and found is not stock
        return found if genuine else None

    def _native(self, stock: type) -> Any:
        """Return the kernels' subclass of a stock class, None where there is none."""
        if self.name != "native":
            return None
        from segrun.algorithms.native import estimators

        found = getattr(estimators, stock.__name__, None)
        return found if found is not None and issubclass(found, stock) else None

    @cached_property
    def _intelex(self) -> tuple[ModuleType | None, str]:
        """The module with the accelerated clusterers, or None and the reason."""
        try:
            import_module("sklearnex")
            return import_module("sklearnex.cluster"), ""
        except ModuleNotFoundError as error:
            if error.name == "sklearnex":
                return None, "scikit-learn-intelex is not installed"
            return None, f"scikit-learn-intelex cannot be imported: {error}"
        except Exception as error:  # noqa: BLE001 - a broken install raises anything
            return None, f"scikit-learn-intelex cannot be imported: {error!r}"


def _load(names: Sequence[str]) -> None:
    # What is wrong with them is told where they are needed.
    with suppress(Exception):
        for name in names:
            import_module(name)


def make_backend(config: BackendConfig) -> Backend:
    """Return the backend that the configuration asks for."""
    return Backend(config.name.value, config.require)


def available() -> dict[str, str]:
    """Return each backend's name with '' if a tiny fit works here, else the reason."""
    found = {}
    X = np.array([[0.0], [0.1], [5.0], [5.1]])
    for name in (backend.value for backend in BackendName):
        backend = Backend(name)
        try:
            fit = backend.fit(backend.make("KMeans", n_clusters=2, random_state=0), X)
        except Exception as error:  # noqa: BLE001 - whatever it is, the backend does not work
            found[name] = f"{type(error).__name__}: {error}"
        else:
            found[name] = "" if fit.ran == name else fit.reason
    return found
