"""From the input to the matrix: what is read, kept, said of it, and left behind."""

from dataclasses import replace

import numpy as np
import pytest

from segrun.config import BadLines, EngineConfig, EngineName
from segrun.data.cache.shared import JobCache
from segrun.data.datasets.synthetic_retail import generate
from segrun.errors import DataError
from segrun.rundir.directory import RunDirectory
from segrun.rundir.store import read_parquet, sha256
from segrun.rundir.timings import Timings
from segrun.runner.prepare import JobContext, _engine, _expect, prepare

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def generated(composed):
    return composed("dataset.n_customers=60")


@pytest.fixture(scope="module")
def of_file(composed):
    return composed("dataset=online_retail", "dataset.path=f.csv")


@pytest.fixture
def lines(tmp_path, monkeypatch, of_file):
    """An experiment over a file of sales, and the file."""
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path / "cache"))
    generate(40, seed=0)[0].write_csv(tmp_path / "lines.csv")
    dataset = replace(of_file.dataset, path=str(tmp_path / "lines.csv"))
    return replace(of_file, dataset=dataset), tmp_path / "lines.csv"


def prepared(experiment, folder, part=JobContext()):  # noqa: B008 - frozen
    timings = Timings()
    return prepare(experiment, RunDirectory(folder), timings, part), timings.rows


def test_every_stage_has_its_row_and_a_job_beside_it_takes_what_is_there(generated, tmp_path):
    part = JobContext(cache=JobCache())
    first, rows = prepared(generated, tmp_path / "a", part)
    assert [row.stage for row in rows] == ["load", "features", "augment", "transform"]
    assert (rows[1].backend_asked, rows[1].backend_ran) == ("polars", "polars")
    again, rows = prepared(generated, tmp_path / "b", part)
    assert again is first
    assert [row.stage for row in rows] == ["load"]
    assert rows[0].reason.startswith("data prepared by ")
    for other in (replace(generated, seed=5), replace(generated, dataset=replace(
        generated.dataset, n_customers=70))):  # fmt: skip
        found, _ = prepared(other, tmp_path / str(other.seed), part)
        assert found is not first
    _, rows = prepared(generated, tmp_path / "c", replace(part, input_sha256=None, cache=None))
    assert len(rows) == 4


def test_the_data_know_their_input_and_their_size(generated, lines, tmp_path):
    ready, _ = prepared(generated, tmp_path / "a")
    assert ready.input_sha256 is None
    assert ready.n_bytes == 3 * 8 * ready.transformed.Z.size
    experiment, file = lines
    ready, _ = prepared(experiment, tmp_path / "b", JobContext(input_sha256=sha256(file)))
    assert ready.input_sha256 == sha256(file)
    with pytest.raises(DataError, match="is not the file"):
        prepared(experiment, tmp_path / "c", JobContext(input_sha256="0"))


def test_what_another_input_would_give_is_refused():
    _expect({"sha256": "1"}, None)
    _expect({"sha256": "1", "path": "f"}, "1")
    with pytest.raises(DataError, match="f is not the file that"):
        _expect({"sha256": "1", "path": "f"}, "2")
    with pytest.raises(DataError, match="f gives other rows than those"):
        _expect({"sha256": "1", "path": "f", "query": "q"}, "2")


@pytest.mark.parametrize("describe", [True, False])
def test_customers_are_stored_and_what_fits_need_is_the_matrix_and_the_ids(
    generated, tmp_path, describe
):
    experiment = replace(generated, segments=replace(generated.segments, describe=describe))
    ready, _ = prepared(experiment, tmp_path / "run")
    out = RunDirectory(tmp_path / "out")
    ready.store(experiment, out)
    names = {"UNFINISHED", "features.parquet", "features_all.parquet"}
    if describe:
        names |= {"about.parquet", "transform.csv"}
    assert {path.name for path in out.path.iterdir()} == names
    assert len(read_parquet(out.path / "features_all.parquet")["CustomerID"]) == 60
    stored = read_parquet(out.path / "features.parquet")
    assert stored["CustomerID"].tolist() == ready.customers.written_ids.to_list()
    lean = ready.lean()
    assert lean.transformed is ready.transformed
    assert lean.built.about is None
    for one, other in (
        (lean.customers, ready.customers),
        (lean.built.customers, ready.built.customers),
        (lean.built.all_customers, ready.built.all_customers),
    ):
        assert one.feature_names == []
        assert np.array_equal(one.ids, other.ids)


def test_lines_that_are_left_out_stand_in_the_run_and_no_other_job_takes_its_data(lines, tmp_path):
    experiment, file = lines
    text = file.read_text().splitlines()
    place = text[0].split(",").index("Quantity")
    cells = text[1].split(",")
    cells[place] = "many"
    file.write_text("\n".join([*text, ",".join(cells)]) + "\n")
    dataset = replace(experiment.dataset, bad_lines=BadLines.quarantine)
    part = JobContext(cache=JobCache())
    for name in "ab":
        _, rows = prepared(replace(experiment, dataset=dataset), tmp_path / name, part)
        assert len(rows) == 4
        assert "many" in (tmp_path / name / "quarantine.csv").read_text()


def test_what_comes_from_the_cache_says_so(lines, tmp_path):
    experiment = replace(lines[0], cache=replace(lines[0].cache, min_bytes=0))
    first, rows = prepared(experiment, tmp_path / "a")
    assert "cache" not in rows[0].reason + rows[1].reason
    again, rows = prepared(experiment, tmp_path / "b")
    assert (rows[0].reason, rows[1].reason) == ("table from the cache", "features from the cache")
    assert (rows[1].backend_asked, rows[1].backend_ran) == ("polars", "")
    assert np.array_equal(first.transformed.Z, again.transformed.Z)


def test_only_what_is_grouped_is_computed_by_another_engine(generated, composed):
    other = EngineConfig(EngineName.pandas)
    assert _engine(replace(generated, engine=other))[0] is other
    experiment = composed("dataset=synthetic_weblogs", "features=table")
    engine, reason = _engine(replace(experiment, engine=other))
    assert (engine.name, reason) == (EngineName.polars, "features=table groups no rows")
    assert _engine(experiment)[0] is experiment.engine
