"""Features of large inputs, computed once and kept in the cache directory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from segrun.config import Experiment, FeaturesConfig
from segrun.data.cache import cache_directory
from segrun.data.cache.directory import locked
from segrun.data.cache.entry import Entry, making
from segrun.errors import DataError, StoreError
from segrun.runner.keys import features_key

if TYPE_CHECKING:
    from segrun.data.datasets import Rows
    from segrun.features import Built

log = logging.getLogger("segrun.features")


def featured(
    experiment: Experiment, source: Rows, build: Callable[[], Built], began: float
) -> tuple[Built, bool]:
    """Return the features of an input, and whether they come from the cache."""
    told = source.fingerprint
    large = "path" in told and told.get("n_bytes", 0) >= experiment.cache.min_bytes
    if not experiment.cache.use or not (large or source.files):
        return build(), False
    with _whole(source):
        return _featured(experiment, source, build, began)


def _featured(
    experiment: Experiment, source: Rows, build: Callable[[], Built], began: float
) -> tuple[Built, bool]:
    told = source.fingerprint
    cache = cache_directory()
    entry = Entry("features", features_key(experiment, told["sha256"]), cache)
    with locked(cache, f"build-{entry.key}", _wait):
        found = _kept(entry, experiment.features)
        if found is not None:
            return found, True
        found = build()
        if _has_changed(source, began):
            log.warning("%s was changed while it was read: run once more", told["path"])
            return found, False
        _keep(entry, found, f"features={experiment.features.name} of {told['path']}")
    return found, False


@contextmanager
def _whole(source: Rows) -> Iterator[None]:
    """Say what to do where a table that was kept turns out to be damaged."""
    from narwhals.exceptions import NarwhalsError

    from segrun.data.datasets.table import POLARS_ERRORS

    try:
        yield
    except (NarwhalsError, *POLARS_ERRORS) as error:
        if not source.from_cache:
            raise
        said = str(error).splitlines()[0]
        raise StoreError(
            f"{source.files[0].parent}, the table kept of {source.fingerprint['path']}, is damaged "
            f"({said}): segrun cache clear, and once more"
        ) from error


def _kept(entry: Entry, config: FeaturesConfig) -> Built | None:
    from segrun.features import kept, removed

    with entry.using() as told:
        if told is None:
            return None
        try:
            found = kept.get(entry.path, told["facts"])
        except StoreError as error:
            log.warning("%s: computed anew", error)
            return None
    removed.tell(found.facts.get("removed", {}), config)
    n, n_clustered = len(found.all_customers), len(found.customers)
    log.info("%d customers, %d of them clustered: from the cache", n, n_clustered)
    return found


def _has_changed(source: Rows, began: float) -> bool:
    """Tell whether files that features were read from may not be those of the digest."""
    from segrun.data.datasets.source import find

    told = source.fingerprint
    if source.files or "query" in told:
        # These lie in the cache directory.
        return False
    try:
        found = find(told["path"])
        times = [part.path.stat() for part in found.parts or (found,)]
    except (DataError, OSError):
        # Gone.
        return True
    changed = max(max(one.st_mtime, one.st_ctime) for one in times)
    return found.n_bytes != told["n_bytes"] or changed >= began


def _keep(entry: Entry, found: Built, what: str) -> None:
    from segrun.features import kept

    try:
        with making("features", entry.cache) as folder:
            told = kept.put(folder, found)
            if told is not None:
                entry.keep(folder, what, told)
    except StoreError as error:
        log.warning("the features are not kept for later runs: %s", error)


def _wait() -> None:
    log.info("another process computes these features: waiting for them")
