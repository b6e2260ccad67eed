"""A million customers: memory stays a few times that of their matrix."""

import pytest

from segrun.rundir.store import read_csv, read_manifest


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["native", "onedal"])
def test_no_stage_holds_more_than_a_few_copies_of_the_matrix(segrun, tmp_path, backend):
    n_rows, n_features = 1_000_000, 21
    done = segrun(
        "experiment=bench_many_customers", "hydra.mode=RUN", f"augmentation.rows={n_rows}",
        f"backend={backend}", "segments=full", "report=html", "hydra.run.dir=run", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = tmp_path / "run"
    assert read_manifest(run)["status"] == "done"
    peaks = {row["stage"]: int(row["peak_rss_bytes"]) for row in read_csv(run / "timings.csv")}
    matrix = 8 * n_rows * n_features
    before = peaks["features"]
    copies = {stage: (peak - before) / matrix for stage, peak in peaks.items()}
    # Columns, the matrix of them and the scaled one; then rows sorted by cluster, twice. The
    # libraries that describing brings are nearly one more at this size.
    assert copies.pop("describe") < 6
    assert max(copies.values()) < 4
    assert "judged by 100,000 rows" in (run / "report.html").read_text("utf-8")
