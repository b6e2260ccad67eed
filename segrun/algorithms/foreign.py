"""Code of others: it raises nothing but errors told as theirs; its labels are checked."""

from __future__ import annotations

import ctypes
import inspect
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from functools import cache
from importlib import metadata
from traceback import walk_tb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.errors import DataError, SegrunError

#: Faults of released versions: estimator, what it says, what avoids it.
_KNOWN = (
    (
        "HDBSCAN",
        "only 0-dimensional arrays can be converted",
        "A fault of scikit-learn's with numpy 2.4 or newer, wherever cluster_selection_epsilon is "
        "to join clusters: algo.params.cluster_selection_epsilon=0.0 avoids it",
    ),
)
#: Parameters that count clusters or rows of one: no fit has more of them than rows.
_AT_MOST_ROWS = ("n_clusters", "n_components", "min_cluster_size", "min_samples")
_MAX_LETTERS = 80


@contextmanager
def only_errors() -> Iterator[None]:
    """Turn what is neither an error nor a wish to end into an error that can be told.

    Rust's panics, for one, derive from BaseException, so that no ``except Exception`` meets them.
    """
    try:
        yield
    except (Exception, SystemExit, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise RuntimeError(f"{type(error).__name__}: {error}") from error


@contextmanager
def off_stdout() -> Iterator[None]:
    """Let the descriptor of stdout be that of stderr: libraries below Python print to it."""
    try:
        # Of a worker process both are the same already.
        kept = None if os.path.sameopenfile(1, 2) else os.dup(1)
    except OSError:
        # One of them is closed.
        kept = None
    if kept is None:
        yield
        return
    stdout = sys.stdout
    _flush(stdout)
    try:
        os.dup2(2, 1)
        yield
    finally:
        _flush(stdout)
        _flush_c()
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def contained() -> Iterator[None]:
    """Call code of others: see `only_errors`; what it prints goes to stderr."""
    with only_errors(), off_stdout(), redirect_stdout(sys.stderr):
        yield


def _flush(stream: object) -> None:
    # What cannot be written now is the business of whoever wrote it.
    with suppress(OSError, ValueError, AttributeError):
        stream.flush()  # type: ignore[attr-defined]


def _flush_c() -> None:
    """Write out what C's own printf holds back."""
    if os.name == "posix":
        ctypes.CDLL(None).fflush(None)


def told(error: BaseException) -> str:
    """Return what an error says, and whose it is where segrun did not raise it itself."""
    if isinstance(error, SegrunError):
        return str(error)
    who = raised_by(error)
    return _words(error) + (f" (raised by {who})" if who else "")


def told_of_fit(
    error: BaseException, estimator: Any, n_rows: int, axes: Collection[str] = ()
) -> str:
    """Return what the error of a fit says, which estimator it is of, and what was set.

    `estimator` is unfitted, None where there is none yet; `axes` are parameters that the point's
    name says already.
    """
    if isinstance(error, SegrunError) or estimator is None or not raised_by(error):
        return told(error)
    words = _words(error)
    name = next(c.__name__ for c in type(estimator).__mro__ if c.__module__[0] != "_")
    params = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    settings = ", ".join(
        f"{key}={_short(value)}" for key, value in _set(estimator, params) if key not in axes
    )
    library = distribution(type(estimator).__module__) or raised_by(error)
    whose = f"{name} of {library}"
    if more := _too_many(params, n_rows):
        return f"{more} ({whose}: {words})"
    whose += f" with {settings}" if settings else ""
    cures = [cure for known, said, cure in _KNOWN if known == name and said in words]
    return ". ".join([f"{words} (raised by {whose})", *cures])


def raised_by(error: BaseException) -> str:
    """Return name and version of the distribution that raised an error, '' if it is segrun's own.

    It is the one that segrun had called; what that one called is its own matter.
    """
    # A panic of Rust has been made an error that can be caught.
    cause = error.__cause__
    if cause is not None and not isinstance(cause, Exception):
        error = cause
    modules = [str(f.f_globals.get("__name__", "")) for f, _ in walk_tb(error.__traceback__)]
    own = [place for place, name in enumerate(modules) if name.partition(".")[0] == "segrun"]
    beyond = modules[own[-1] + 1 :] if own else []
    # Raised by what is of no distribution, as a notebook is: by way of a library perhaps.
    if not beyond or not distribution(beyond[-1]):
        return ""
    return next(found for name in beyond if (found := distribution(name)))


@cache
def distribution(module: str) -> str:
    """Return name and version of the distribution that a module is of; '' of segrun or Python."""
    top = module.partition(".")[0]
    if top == "segrun" or top in sys.stdlib_module_names:
        return ""
    for name in metadata.packages_distributions().get(top, ()):
        return f"{name} {metadata.version(name)}"
    return ""


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _set(estimator: Any, params: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the parameters that are not what the estimator's constructor would take."""
    usual = inspect.signature(type(estimator).__init__).parameters
    return [
        (key, value)
        for key, value in params.items()
        if key not in usual or repr(usual[key].default) != repr(value)
    ]


def _short(value: Any) -> str:
    # Without addresses in memory, which differ from run to run.
    text = re.sub(r" at 0x[0-9a-f]+", "", " ".join(repr(value).split()))
    return text if len(text) <= _MAX_LETTERS else text[: _MAX_LETTERS - 3] + "..."


def _too_many(params: Mapping[str, Any], n_rows: int) -> str:
    """Say which parameter is more than the rows that there are."""
    for name in _AT_MOST_ROWS:
        value = params.get(name)
        if isinstance(value, int) and value > n_rows:
            return (
                f"{name}={value} is more than the {n_rows} rows. Choose less, such as "
                f"algo.params.{name}={max(2, n_rows // 2)}"
            )
    return ""


def checked_labels(labels: Any, n_samples: int) -> NDArray[np.int64]:
    """Return labels as int64; ValueError if they are not whole numbers from -1 on, one per row."""
    found = np.asarray(labels)
    if found.shape != (n_samples,):
        raise ValueError(f"labels of shape {found.shape} for {n_samples} rows")
    if found.dtype.kind not in "iu":
        raise ValueError(f"labels of type {found.dtype}: labels are whole numbers, noise is -1")
    if found.size and found.min() < -1:
        raise ValueError(f"a label of {found.min()}: labels are numbers from 0, noise is -1")
    # An unsigned -1, for one, would be noise again.
    if found.size and found.max() > np.iinfo(np.int64).max:
        raise ValueError(f"a label of {found.max()}: labels are below 2**63")
    return found.astype(np.int64)


def placed(
    road: Callable[[NDArray[Any]], Any],
    model: Any,
    Z: NDArray[Any],
    fitted: NDArray[np.int64],
    whose: str,
) -> NDArray[np.int64]:
    """Return the labels that a fitted model gives to new rows, noise -1.

    `road` is ``predict`` of the model or ``assign`` of its plugin, `fitted` are labels that rows
    of the fit have, `whose` is the algorithm and who brought it, for messages. DataError if it
    fails, or gives what is not one whole number per row, or clusters that do not exist.
    """
    try:
        with contained():
            labels = checked_labels(road(Z), len(Z))
        _refuse_strange(labels, model, fitted)
    except (Exception, SystemExit) as error:
        raise DataError(
            f"{whose} cannot place new rows: {told(error)}. No label is written"
        ) from error
    return labels


def _refuse_strange(labels: NDArray[np.int64], model: Any, fitted: NDArray[np.int64]) -> None:
    there = np.union1d(fitted, np.arange(_n_clusters(model)))
    strange = (labels >= 0) & ~np.isin(labels, there)
    if strange.any():
        known = there[there >= 0]
        which = f"{known.min()} to {known.max()}" if len(known) else "none"
        raise ValueError(
            f"{int(strange.sum())} of {len(labels)} rows get labels of clusters that do not exist, "
            f"such as {labels[strange][0]}; the clusters are {which}"
        )


def _n_clusters(model: Any) -> int:
    """Return how many clusters a model knows: one may have no row of the fit."""
    known = [len(getattr(model, a)) for a in ("cluster_centers_", "weights_") if hasattr(model, a)]
    return max(known, default=0)
