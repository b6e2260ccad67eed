from segrun.report.sweep import JobResult, summary
from segrun.rundir.store import write_csv

FIT = {"stage": "fit", "backend_asked": "onedal", "reason": ""}


def job(folder, scores, timings):
    folder.mkdir()
    (folder / "manifest.json").write_text(
        '{"status": "done", "reason": "", "experiment": {"algo": "kmeans"}}'
    )
    write_csv(folder / "scores.csv", scores)
    write_csv(folder / "timings.csv", timings)
    return JobResult(folder)


def score(**given):
    return {"point": "k=2", "status": "done", "silhouette": 0.5, "silhouette_se": 0.002,
            "n_clusters": 2, "noise_share": 0.25, "selected": True, **given}  # fmt: skip


def test_a_line_says_what_ran_and_what_all_fits_took(tmp_path):
    timings = [
        {**FIT, "repeat": 0, "wall_seconds": 1.25, "backend_ran": "onedal"},
        {**FIT, "repeat": 1, "wall_seconds": 0.5, "backend_ran": "sklearn"},
        {**FIT, "stage": "load", "wall_seconds": 99.0, "backend_ran": ""},
    ]
    line = summary([job(tmp_path / "0-kmeans", [score()], timings)]).splitlines()[1]
    assert line.split() == (
        "0-kmeans kmeans k=2 0.5000 ± 0.0020 2 25.0% onedal 1 sklearn 1 2 1.75 done".split()
    )


def test_an_exact_silhouette_has_no_error(tmp_path):
    assert "±" not in summary([job(tmp_path / "a", [score(silhouette_se=0.0)], [FIT | {
        "wall_seconds": 1.0, "backend_ran": "onedal"}])])  # fmt: skip


def test_no_point_within_the_limits_differs_from_no_point_at_all(tmp_path):
    timings = [{**FIT, "wall_seconds": 1.0, "backend_ran": ""}]
    within = job(tmp_path / "a", [score(selected=False)], timings)
    failed = job(tmp_path / "b", [score(selected=False, status="failed")], timings)
    first, second = summary([within, failed]).splitlines()[1:]
    assert "none within the limits" in first
    assert "none within the limits" not in second


def test_a_directory_that_says_nothing_is_a_failed_line(tmp_path):
    (tmp_path / "a").mkdir()
    assert summary([JobResult(tmp_path / "a")]).splitlines()[1].split()[-1] == "failed"
