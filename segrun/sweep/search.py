"""A sweep by an optimiser: its space is frozen first, then every trial is a job of one point."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from segrun import config
from segrun.errors import ConfigError
from segrun.report.sweep import JobResult, matrix_of, scores_of
from segrun.rundir.atomic import write_text
from segrun.runner.keys import job_key
from segrun.sweep.bases import FrozenBase, SearchArguments, space_of
from segrun.sweep.composer import Composer, place, plain
from segrun.sweep.conduct import Conductor, tell
from segrun.sweep.directory import SweepDirectory
from segrun.sweep.freeze import committed, refuse_changed_inputs
from segrun.sweep.grid import begun
from segrun.sweep.job import Ended, Job
from segrun.sweep.study.settings import limits_of, settings_of
from segrun.sweep.study.study import Study
from segrun.sweep.study.trial import MATRIX, OpenTrial, StoredTrial


def sweep(config: DictConfig, context: Any, task: Any, arguments: Sequence[str]) -> None:
    """Let an optimiser draw points and run each; see ``segrun.sweep.grid.sweep``."""
    found = SearchArguments(
        Composer(context.config_loader, config),
        [*committed(config.hydra.sweeper.get("params")), *arguments],
    )
    bases = found.frozen()
    n_trials = config.hydra.sweeper.n_trials
    if n_trials is not None and n_trials < 1:
        raise ConfigError(f"hydra.sweeper.n_trials must be at least 1, or null. Got {n_trials}")
    if task.session.planning is not None:
        print(_page(bases, n_trials), end="")  # noqa: T201
        return
    study = {
        "sweeper": plain(config.hydra.sweeper, resolve=True),
        "seed": config.seed,
        "limits": limits_of(config.evaluation),
        "owner": uuid.uuid4().hex,
        "bases": [base.plain() for base in bases],
    }
    with begun(config, "study", None, study) as (folder, conductor):
        search = Search(conductor, folder, bases)
        task.session.conductor = conductor
        folder.begin(conductor.header, [], OmegaConf.to_yaml(config))
        search.run(())


def go_on(conductor: Conductor, folder: SweepDirectory, failed: Sequence[Job]) -> None:
    """Go on with the study of a sweep: trials that were killed, those that failed, new ones."""
    bases = [FrozenBase.read(base) for base in conductor.header.study["bases"]]
    refuse_changed_inputs((base.config, base.input_sha256) for base in bases)
    Search(conductor, folder, bases).run(failed)


class Search:
    """One command's work on a study: its jobs are written down in a sweep directory."""

    def __init__(
        self, conductor: Conductor, folder: SweepDirectory, bases: Sequence[FrozenBase]
    ) -> None:
        self.conductor, self.folder, self.bases = conductor, folder, bases
        about = conductor.header.study
        self.sweeper, self.owner = about["sweeper"], about["owner"]
        self.study = Study(settings_of(about, folder.path), space_of(bases))

    def run(self, failed: Sequence[Job]) -> None:
        """Run what is left, then new trials until their number or the time is up."""
        began = time.monotonic()
        try:
            for ended in self.conductor.run(self._jobs(failed, began)):
                self._tell(ended)
        finally:
            self._sum_up(time.monotonic() - began)

    def _jobs(self, failed: Sequence[Job], began: float) -> Iterator[Job]:
        running = {ask.number: ask for ask in self.study.resume_running(self.owner)}
        yield from (job for job in failed if job.number not in running)
        for ask in running.values():
            job = self._job(ask)
            self.folder.put(job)
            if JobResult(self.folder.path / job.folder).manifest()["status"] == "done":
                # Killed between the end of the job and telling it.
                self.conductor.jobs[job.number] = job
                self._tell(Ended(job, "done"))
            else:
                yield job
        timeout = self.sweeper["timeout"]
        while timeout is None or time.monotonic() - began < timeout:
            found = self.study.ask(self.sweeper["n_trials"], self.owner)
            if found is None:
                return
            job = self._job(found)
            self.folder.add(job)
            yield job

    def _job(self, ask: OpenTrial) -> Job:
        base = next(base for base in self.bases if base.choices == ask.choices)
        return _job(base, ask, self.conductor.header.hydra, self.folder.path)

    def _tell(self, ended: Ended) -> None:
        job = ended.job
        directory = self.folder.path / job.folder
        attrs = {
            "job": job.folder, "status": ended.status, "reason": ended.reason,
            MATRIX: matrix_of(JobResult(directory).manifest(), job.experiment),
        }  # fmt: skip
        scores = scores_of(directory) if ended.finished else None
        self.study.tell(job.number, scores, attrs)

    def _sum_up(self, seconds: float) -> None:
        names = [objective.name for objective in self.study.settings.objectives]
        # Of several that are equally good, the first.
        best: dict[tuple[str, tuple[float, ...]], StoredTrial] = {}
        for trial in self.study.best():
            best.setdefault((trial.attrs.get(MATRIX, ""), trial.values), trial)
        found = [
            (self._job_of(trial), dict(zip(names, values, strict=True)))
            for (_, values), trial in best.items()
        ]
        paths = _write_best(self.folder.path, found)
        n_ended = len(self.conductor.ended)
        tell(f"{n_ended} trials in {seconds:.1f} s, {n_ended / max(seconds, 1e-9):.1f} per second")
        if (n_matrices := len({matrix for matrix, _ in best})) > 1:
            tell(
                f"the trials clustered {n_matrices} matrices (rows, features, transform), whose "
                "scores cannot be compared: the best of each"
            )
        for (job, values), path in zip(found, paths, strict=True):
            scores = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
            tell(f"best: {job.folder}: {scores}: segrun {self.conductor.shown(path)}")
            for caution in JobResult(self.folder.path / job.folder).manifest().get("cautions", []):
                tell(f"  {job.folder}: {caution}")
        if not best:
            tell("no trial is within hydra.sweeper.limits")

    def _job_of(self, trial: StoredTrial) -> Job:
        """Return the job of a trial; another process that shares the study may have run it."""
        known = self.conductor.jobs.get(trial.job)
        if known is not None:
            return known
        return self._job(OpenTrial(trial.job, trial.choices, trial.drawn, trial.params))


def _job(base: FrozenBase, ask: OpenTrial, hydra: Mapping[str, Any], sweep: Path) -> Job:
    task = OmegaConf.create(dict(base.config))
    for key, value in ask.values.items():
        OmegaConf.update(task, key, value)
    node = {**hydra, **{key.removeprefix("hydra."): part for key, part in base.hydra.items()}}
    overrides = [*base.overrides, *(f"{key}={value}" for key, value in ask.values.items())]
    node["overrides"] = {**node["overrides"], "task": overrides}
    folder, placed = place(task, node, ask.number, sweep)
    experiment = config.plain(config.from_plain(plain(task, resolve=True)))
    return Job(
        number=ask.number,
        folder=folder,
        overrides=overrides,
        experiment=experiment,
        config=plain(task),
        hydra={f"hydra.{key}": part for key, part in placed.items() if hydra.get(key) != part},
        key=job_key(experiment, base.input_sha256, base.versions),
        input_sha256=base.input_sha256,
    )


def _write_best(sweep: Path, found: Sequence[tuple[Job, Mapping[str, float]]]) -> list[Path]:
    """Write ``best.yaml``, or one file per trial of a Pareto front, ready to run."""
    for stale in sweep.glob("best*.yaml"):
        stale.unlink()
    paths = []
    for job, values in found:
        name = "best.yaml" if len(found) == 1 else f"best-{job.number}.yaml"
        experiment = {key: value for key, value in job.experiment.items() if key != "sweep"}
        scores = ", ".join(f"{key} {value!r}" for key, value in values.items())
        text = (
            f"# Trial {job.number} of {sweep.name}: {scores}\n"
            f"# Run it again: segrun {name}; put it into your conf/experiment/ to keep it.\n"
            f"{OmegaConf.to_yaml(OmegaConf.create(experiment))}"
        )
        write_text(sweep / name, text)
        paths.append(sweep / name)
    return paths


def _page(bases: Sequence[FrozenBase], n_trials: int | None) -> str:
    """Return the plan: what is drawn from where."""
    lines = []
    for base in bases:
        lines.append(" ".join(f"{group}={option}" for group, option in base.choices.items()) or "-")
        lines += [f"  {key}: {dimension}" for key, dimension in base.dimensions.items()]
    end = f"{n_trials} trials" if n_trials else "trials without end"
    return "\n".join([*lines, "", f"{end}, drawn as they come"]) + "\n"
