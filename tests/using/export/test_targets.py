"""Files that results may not take the place of, told before anything is written."""

import os

import polars as pl
import pytest

from segrun.cli.apply import apply_command
from segrun.cli.export import export_command
from segrun.errors import StoreError
from segrun.using.export.files import write_frames
from segrun.using.export.targets import check_targets

ROWS = "who,age,height\n" + "".join(f"p{i},{20 + i % 50},{150 + i % 41}\n" for i in range(60))


@pytest.fixture(scope="module")
def own(run_of, tmp_path_factory):
    """A run on a table of somebody's own, its point, and the table."""
    folder = tmp_path_factory.mktemp("own")
    file = folder / "people.csv"
    file.write_text(ROWS)
    run = run_of(
        folder / "run", "dataset=table", f"dataset.path={file}", "dataset.id=who",
        "+dataset.columns={age: number, height: number}", "features=table",
        "algo.params={n_clusters: 3, tol: 1e-4}",
    )  # fmt: skip
    return [str(run.path), "--point", run.points[0]], file


def test_an_input_is_not_written_over_whatever_the_option(own, tmp_path):
    run, file = own
    with pytest.raises(StoreError, match=r"people\.csv is the input"):
        export_command([*run, "--to", str(file), "--replace"])
    with pytest.raises(StoreError, match=r"people\.csv is the input"):
        export_command([*run, "--to", f"sqlite:///{file}", "--replace"])
    other = tmp_path / "other.csv"
    other.write_text(ROWS)
    with pytest.raises(StoreError, match=r"other\.csv is the input"):
        export_command([*run, "--to", str(other), "--replace", "--join", str(other), "--on", "who"])
    with pytest.raises(StoreError, match=r"other\.csv is the input"):
        apply_command([*run, str(other), "--output", str(other), "--force"])
    with pytest.raises(StoreError, match=r"people\.csv is the input"):
        apply_command([*run, str(other), "--output", str(file), "--force"])
    # What is written beside the output counts as well.
    beside = other.rename(tmp_path / "new.shift.csv")
    with pytest.raises(StoreError, match=r"new\.shift\.csv is the input"):
        apply_command([*run, str(beside), "--output", str(tmp_path / "new.csv"), "--force"])
    assert file.read_text() == beside.read_text() == ROWS
    assert list(tmp_path.iterdir()) == [beside]


def test_a_file_of_a_split_that_is_an_input_is_refused(own, tmp_path):
    run, _ = own
    other = tmp_path / "out-0.csv"
    other.write_text(ROWS)
    with pytest.raises(StoreError, match=r"out-0\.csv is the input"):
        export_command([*run, "--to", str(tmp_path / "out.csv"), "--split", "--replace", "--join",
                        str(other), "--on", "who"])  # fmt: skip
    assert other.read_text() == ROWS
    assert list(tmp_path.iterdir()) == [other]


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_an_input_by_another_path_is_still_the_input(tmp_path, link):
    file = tmp_path / "in.csv"
    file.write_text(ROWS)
    link(file, tmp_path / "out.csv")
    with pytest.raises(StoreError, match=r"out\.csv is the input"):
        check_targets([tmp_path / "out.csv"], [file])
    check_targets([tmp_path / "another.csv"], [file, tmp_path / "gone.csv"])


def test_nothing_is_written_into_a_run(own):
    run, file = own
    before = sorted(file.parent.rglob("*"))
    for name in ("new.csv", "segments/new.csv", "scores.csv"):
        with pytest.raises(StoreError, match=r"is in the run directory .*run, whose"):
            export_command([*run, "--to", f"{run[0]}/{name}", "--replace"])
        with pytest.raises(StoreError, match="is in the run directory"):
            apply_command([*run, str(file), "--output", f"{run[0]}/{name}", "--force"])
    assert sorted(file.parent.rglob("*")) == before


def test_a_directory_as_output_leaves_nothing_beside_it(own, tmp_path):
    run, file = own
    output = tmp_path / "dir.csv"
    output.mkdir()
    with pytest.raises(StoreError, match=r"cannot write .*dir\.csv: it is a directory"):
        apply_command([*run, str(file), "--output", str(output), "--force"])
    assert list(tmp_path.rglob("*")) == [output]
    frame = pl.DataFrame({"a": [1]})
    with pytest.raises(StoreError, match=r"dir\.csv: it is a directory"):
        write_frames({tmp_path / "a.csv": frame, output: frame})
    assert list(tmp_path.rglob("*")) == [output]


def test_a_run_on_a_folder_is_exported_applied_and_kept_clean(run_of, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    header, *lines = ROWS.splitlines(keepends=True)
    (folder / "a.csv").write_text(header + "".join(lines[:20]))
    (folder / "b.csv").write_text(header + "".join(lines[20:]))
    found = run_of(
        tmp_path / "run", "dataset=table", f"dataset.path={folder}/?.csv", "dataset.id=who",
        "+dataset.columns={age: number, height: number}", "features=table",
        "algo.params={n_clusters: 3, tol: 1e-4}",
    )  # fmt: skip
    assert found.manifest["input"]["n_files"] == 2
    run = [str(found.path), "--point", found.points[0]]
    rows, placed = tmp_path / "rows.csv", tmp_path / "placed.csv"
    assert export_command([*run, "--to", str(rows)]) == 0
    assert apply_command([*run, str(folder), "--output", str(placed)]) == 0
    labels = pl.read_csv(rows)["segment"].to_list()
    assert pl.read_csv(rows)["who"].to_list() == [f"p{i}" for i in range(60)]
    assert sorted(pl.read_csv(placed)["segment"].to_list()) == sorted(labels)
    for inside in (folder / "c.csv", folder / "deep" / "c.csv"):
        with pytest.raises(StoreError, match=r"c\.csv would be one of the files of the input"):
            apply_command([*run, str(folder), "--output", str(inside)])
    with pytest.raises(StoreError, match=r"c\.csv would be one of the files of the input"):
        export_command([*run, "--to", str(folder / "c.csv")])
    (folder / "c.csv").write_text(header + lines[0])
    with pytest.raises(StoreError, match=r"\?\.csv is not the file that .* sha256 is another"):
        export_command([*run, "--to", str(tmp_path / "again.csv")])
