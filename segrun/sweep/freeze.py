"""From overrides to frozen jobs: every configuration composed before any job begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from segrun import config
from segrun.algorithms import identity
from segrun.config import Experiment, FileConfig
from segrun.config.explain import explain
from segrun.data.address import is_address
from segrun.errors import ConfigError, DataError
from segrun.runner.checks import check
from segrun.runner.keys import job_key, libraries
from segrun.sweep.composer import Composed, Composer, plain
from segrun.sweep.job import Job


def combinations(composer: Composer, arguments: Sequence[str]) -> list[list[str]]:
    """Return the overrides of every job that the arguments of a multirun ask for.

    A sweep such as ``a=1,2`` or ``a=range(1,4)`` has several values. Where several experiments are
    asked for, each has its own ``hydra.sweeper.params``.
    """
    whole = committed(composer.master.hydra.sweeper.get("params"))
    axes = _axes(composer, [*whole, *arguments])
    bringing = [key for key, values in axes.items() if composer.bring_sweeps(values)]
    if not bringing:
        return _product(axes)
    found = []
    for options in product(*(axes[key] for key in bringing)):
        choice = {key: [option] for key, option in zip(bringing, options, strict=True)}
        own = committed(composer.committed([values[0] for values in (axes | choice).values()]))
        found += _product(_axes(composer, [*own, *arguments]) | choice)
    return found


def _product(axes: Mapping[str, list[str]]) -> list[list[str]]:
    return [list(combination) for combination in product(*axes.values())]


def committed(params: Mapping[str, Any] | None) -> list[str]:
    """Return the overrides that ``hydra.sweeper.params`` commits."""
    return [f"{key}={value}" for key, value in (params or {}).items()]


def _axes(composer: Composer, arguments: Sequence[str]) -> dict[str, list[str]]:
    """Return the values that every key takes, as overrides; of what is said twice, the last."""
    axes: dict[str, list[str]] = {}
    for override in composer.parse(arguments):
        key = override.get_key_element()
        if not override.is_sweep_override():
            axes[key] = [f"{key}={override.get_value_element_as_str()}"]
        elif override.is_discrete_sweep():
            axes[key] = [f"{key}={value}" for value in override.sweep_string_iterator()]
        else:
            raise ConfigError(
                f"{override.input_line}: a grid needs an end. Write values "
                f"({key}=0.1,0.2) or let an optimiser draw them: hydra/sweeper=optuna"
            )
    return axes


class Freezer:
    """Makes frozen jobs of one sweep; every input is read once for its digest."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self._digests: dict[str, str | None] = {}

    def jobs(self, overrides: Iterable[Sequence[str]]) -> list[Job]:
        """Return a job per list of overrides, numbered from 0, each with a folder of its own."""
        jobs = [self._job(one, number) for number, one in enumerate(overrides)]
        seen: dict[str, Job] = {}
        for job in jobs:
            if (first := seen.setdefault(job.folder, job)) is not job:
                raise ConfigError(
                    f"hydra.sweep.subdir gives {job.folder!r} to the jobs {first.number} and "
                    f"{job.number}: let it tell them apart, as ${{hydra.job.num}}-${{algo.name}} "
                    "does"
                )
        return jobs

    def _job(self, overrides: Sequence[str], number: int) -> Job:
        name = f"job {number} ({' '.join(overrides)})"
        composed, experiment = self.composed(overrides, number, name)
        about = config.plain(experiment)
        digest = self.input_sha256(experiment)
        return Job(
            number=number,
            folder=composed.folder,
            overrides=list(overrides),
            experiment=about,
            config=plain(composed.task),
            hydra=composed.hydra,
            key=job_key(about, digest, libraries(identity(experiment.algo))),
            input_sha256=digest,
        )

    def composed(
        self, overrides: Sequence[str], number: int, name: str
    ) -> tuple[Composed, Experiment]:
        """Compose and check a configuration; what is wrong with it is told by its name."""
        try:
            composed = self.composer.compose(overrides, number)
            experiment = config.to_experiment(composed.task)
            check(experiment)
        except (HydraException, OmegaConfBaseException, ConfigError) as error:
            raise ConfigError(f"{name}: {explain(error)}") from error
        return composed, experiment

    def input_sha256(self, experiment: Experiment) -> str | None:
        """Return the digest of the input; None of what is made, cannot be read, or is a query."""
        if not isinstance(experiment.dataset, FileConfig):
            return None
        path = experiment.dataset.path
        if path not in self._digests:
            self._digests[path] = file_sha256(path)
        return self._digests[path]


def file_sha256(path: str) -> str | None:
    """Return the digest of an input; None where it cannot be read: its jobs will say so.

    None of a database, too, which only those that need its rows open.
    """
    if is_address(path):
        return None
    from segrun.data.datasets.source import find

    try:
        return find(path).sha256
    except DataError:
        return None


def refuse_changed_inputs(inputs: Iterable[tuple[Mapping[str, Any], str | None]]) -> None:
    """Refuse to go on with other data: experiments and the digests that their files had."""
    expected = {
        experiment["dataset"]["path"]: digest for experiment, digest in inputs if digest is not None
    }
    for path, before in expected.items():
        now = file_sha256(path)
        if now != before:
            found = f"its sha256 is {now}" if now else "it cannot be read"
            raise DataError(
                f"dataset.path={path} has changed since the sweep was begun: {found}, then it was "
                f"{before}. Put the file back, or begin a new sweep"
            )
