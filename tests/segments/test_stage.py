"""Describing as a stage of a run: its failure costs no run."""

from dataclasses import replace

import numpy as np

from segrun.config.override import segments_config
from segrun.jobs import run_job as run
from segrun.rundir.finished import open_run
from segrun.rundir.store import read_csv
from segrun.rundir.timings import Timings
from segrun.segments.describe import describe
from segrun.segments.segment import is_described
from segrun.segments.stage import describe_stage

SMALL = ["backend=sklearn", "features=rfm", "dataset.n_customers=60", "algo.params.tol=1e-4",
         "algo.grid.n_clusters=[2,3]", "segments=full", "segments.stability.refits=0",
         "report=html"]  # fmt: skip


def test_what_was_run_stands_when_it_cannot_be_described(composed, tmp_path, caplog):
    bare = run(composed(*SMALL, "segments.describe=false", "report=none"), tmp_path / "bare")
    # No column is known before the data are read, where some are only found in them.
    wrong = "segments.order_by=Nowhere"
    counted = ["features=aggregate", wrong, "+features.columns={Country: {function: count, "
               "per: Country}, Lines: {function: count}}"]  # fmt: skip
    path = tmp_path / "run"
    result = run(composed(*SMALL, *counted), path)
    assert (result.status, result.exit_code) == ("done", 1)
    assert "order_by: there is no column 'Nowhere'" in result.undescribed
    assert f"segrun describe {path}" in caplog.text
    found = open_run(path)
    assert found.selected == result.selected
    assert not is_described(found)
    assert not [name for name in found.files if name.startswith("segments/")]
    assert {row["status"] for row in read_csv(path / "scores.csv")} == {"done"}
    assert bare.exit_code == 0
    describe(found, segments_config(found.experiment, ["segments.order_by=Lines"]))
    assert is_described(open_run(path))


def test_no_error_of_describing_costs_the_run(composed, tmp_path, caplog):
    """Whatever it is: no bug of ours in the segments may cost somebody a night of fits."""
    experiment = composed(*SMALL, "segments.describe=false", "report=none")
    run(experiment, tmp_path / "run")
    found = open_run(tmp_path / "run")
    labels = found.labels(found.selected)
    # What no configuration can be, so that nobody foresees it.
    odd = replace(experiment, segments=replace(experiment.segments, names=None))
    with found.amend() as out:
        why = describe_stage(odd, out, Timings(), {"selected": found.selected})
    assert why.startswith("the segments are not described: AttributeError: ")
    assert "segrun describe" in caplog.text
    after = open_run(found.path)
    assert not is_described(after)
    assert np.array_equal(after.labels(found.selected), labels)
