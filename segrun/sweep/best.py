"""The best trials as experiments that are ready to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import OmegaConf

from segrun.rundir.atomic import write_text
from segrun.sweep.job import Job


def write_best(sweep: Path, found: Sequence[tuple[Job, Mapping[str, float]]]) -> list[Path]:
    """Write ``best.yaml``, or one file per trial of a Pareto front, and return the paths.

    Parameters
    ----------
    sweep : Path
        The sweep directory.
    found : sequence of (Job, mapping of str to float)
        The best trials and their objectives, by name.
    """
    for stale in sweep.glob("best*.yaml"):
        stale.unlink()
    paths = []
    for job, values in found:
        name = "best.yaml" if len(found) == 1 else f"best-{job.number}.yaml"
        text = _text(sweep, name, job, values)
        write_text(sweep / name, text)
        paths.append(sweep / name)
    return paths


def _text(sweep: Path, name: str, job: Job, values: Mapping[str, float]) -> str:
    experiment = {key: value for key, value in job.experiment.items() if key != "sweep"}
    scores = ", ".join(f"{key} {value!r}" for key, value in values.items())
    return (
        f"# Trial {job.number} of {sweep.name}: {scores}\n"
        f"# Run it again: segrun {name}; put it into your conf/experiment/ to keep it.\n"
        f"{OmegaConf.to_yaml(OmegaConf.create(experiment))}"
    )
