"""From the input to the matrix that is clustered: load, build, augment, transform."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segrun import interrupt
from segrun.config import EngineConfig, EngineName, Experiment
from segrun.data.cache.shared import JobCache
from segrun.errors import DataError
from segrun.rundir.directory import RunDirectory
from segrun.rundir.timings import Timing, Timings
from segrun.runner.keys import data_values

log = logging.getLogger("segrun.data.engines")

if TYPE_CHECKING:
    from segrun.data.datasets import Rows
    from segrun.features import Built
    from segrun.features.transform import Transformed
    from segrun.rundir.customers import Customers


@dataclass(frozen=True)
class Prepared:
    """The data as they are clustered."""

    built: Built
    fingerprint: Mapping[str, Any]
    facts: Mapping[str, Any]
    customers: Customers
    transformed: Transformed

    @property
    def input_sha256(self) -> str | None:
        """Digest of the input file; None for generated data, which the experiment alone tells."""
        return self.fingerprint["sha256"] if "path" in self.fingerprint else None

    @property
    def n_bytes(self) -> int:
        """What it takes in memory: the matrix, and the columns that it was made of."""
        return 3 * self.transformed.Z.nbytes

    def store(self, experiment: Experiment, out: RunDirectory) -> None:
        """Write the customers, what else is known of them, and how columns were scaled."""
        from segrun.features.transform import parameters

        out.write_customers("features_all.parquet", self.built.all_customers)
        out.write_customers("features.parquet", self.customers)
        if self.built.about is not None:
            out.write_customers("about.parquet", self.built.about)
        if experiment.segments.describe and (rows := parameters(self.customers, self.transformed)):
            out.write_table("transform.csv", rows)

    def lean(self) -> Prepared:
        """Return what fits and scores need: the matrix and the ids, not the tables behind them."""
        built = replace(self.built, all_customers=self.built.all_customers.bare(),
                        customers=self.built.customers.bare(), about=None)  # fmt: skip
        return replace(self, built=built, customers=self.customers.bare())


@dataclass(frozen=True)
class JobContext:
    """What a run is a part of, where it is not alone."""

    again: bool = False
    input_sha256: str | None = None
    n_parallel: int = 1
    cache: JobCache | None = None


def prepare(
    experiment: Experiment, out: RunDirectory, timings: Timings, part: JobContext
) -> Prepared:
    """Return the data of an experiment, from the cache if they are there."""
    cache = part.cache or JobCache()
    with cache.held(f"{part.input_sha256} {data_values(experiment)!r}") as cached:
        if cached.made_by:
            with timings.stage("load") as timing:
                timing.reason = f"data prepared by {cached.made_by}"
                found: Prepared = cached.get()
                return found
        found, alone = _prepare(experiment, out, timings, part)
        if not alone:
            cached.put(found)
    return found


def _prepare(
    experiment: Experiment, out: RunDirectory, timings: Timings, part: JobContext
) -> tuple[Prepared, bool]:
    """Return the data, and whether reading them left something in the run directory."""
    from segrun.features.augment import augment
    from segrun.features.transform import fit_transform
    from segrun.runner.preflight.flight import check_dense

    built, transactions = _read(experiment, out, timings, part.input_sha256)
    with timings.stage("augment"):
        customers = augment(built.customers, experiment.augmentation, experiment.seed)
    with timings.stage("transform"):
        check_dense(customers, experiment, part.n_parallel)
        transformed = fit_transform(customers, experiment.transform, experiment.seed)
    ready = Prepared(built, transactions.fingerprint, transactions.facts, customers, transformed)
    return ready, transactions.quarantine is not None


def _read(
    experiment: Experiment, out: RunDirectory, timings: Timings, input_sha256: str | None
) -> tuple[Built, Rows]:
    from segrun.data import datasets

    stack, began = ExitStack(), time.time()
    try:
        with timings.stage("load") as timing:
            source = datasets.load(experiment.dataset, experiment.seed, settings=experiment.cache)
            transactions = stack.enter_context(source)
            if transactions.from_cache:
                timing.reason = "table from the cache"
        _expect(transactions.fingerprint, input_sha256)
        if transactions.quarantine is not None:
            out.keep("quarantine.csv", transactions.quarantine)
        with timings.stage("features") as timing:
            built = _features(experiment, transactions, timing, began)
            built = built.written_as(transactions.facts)
    finally:
        # The copies in the cache go, whenever Ctrl-C comes.
        with interrupt.deferred():
            stack.close()
    return built, transactions


def _features(experiment: Experiment, source: Rows, timing: Timing, began: float) -> Built:
    from segrun import features
    from segrun.data import engines
    from segrun.runner.featured import featured

    engine, timing.reason = _engine(experiment)
    timing.backend_asked, timing.backend_ran = experiment.engine.name.value, engine.name.value

    def build() -> Built:
        with engines.hand_over(source, engine) as handed:
            described = experiment.segments.describe
            return features.build(handed, experiment.features, about=described)

    built, from_cache = featured(experiment, source, build, began)
    if from_cache:
        timing.backend_ran, timing.reason = "", "features from the cache"
    return built


def _engine(experiment: Experiment) -> tuple[EngineConfig, str]:
    """Return the engine that computes the features, and its version or why it is another one."""
    from segrun.data.engines import engine_of
    from segrun.features import feature_set_of

    asked = experiment.engine
    # What is asked of rows batch by batch is a group-by, and that is what an engine is for.
    grouped = feature_set_of(experiment.features).define is not None
    if asked.name is EngineName.polars or grouped:
        return asked, engine_of(asked).version
    # Nothing is grouped: what comes out is as large as what goes in, and ends in this process.
    reason = f"features={experiment.features.name} groups no rows"
    log.info("%s: computed by polars, not by engine=%s", reason, asked.name.value)
    return EngineConfig(EngineName.polars), reason


def _expect(fingerprint: Mapping[str, Any], sha256: str | None) -> None:
    if sha256 is not None and fingerprint["sha256"] != sha256:
        what = "gives other rows than those" if "query" in fingerprint else "is not the file"
        raise DataError(
            f"dataset.path={fingerprint['path']} {what} that the run was planned for: its sha256 "
            f"is {fingerprint['sha256']}, that of then {sha256}. Put the data back, or begin anew"
        )
