"""Experiments in files: differences without a head, and whole ones as they are printed and kept."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from segrun.cli.compose import compose_experiment, launch, launch_file
from segrun.config import to_yaml

pytestmark = pytest.mark.heavy

FILES = ["dataset=transactions", "dataset.path=orders (1).csv", "features=rfm", "algo=dbscan",
         "dataset.columns={customer: Kunde, date: Datum, amount: Betrag €}"]  # fmt: skip
RECORDS = ["dataset=records", "dataset.path=x.csv", "dataset.id=i", "features=aggregate",
           "features.columns={Größe: {function: count}, Last: {function: count}}",
           "engine=pyspark", "engine.options.spark.executor.cores=2", "segments=full"]  # fmt: skip


@pytest.fixture
def shown(tmp_path, monkeypatch, capsys):
    """What --cfg job shows, in the test's folder: shown(*arguments), a file's path in front."""
    monkeypatch.chdir(tmp_path)

    def show(*arguments):
        if arguments[0].endswith(".yaml"):
            code = launch_file(tmp_path / arguments[0], [*arguments[1:], "--cfg", "job"])
        else:
            code = launch([*arguments, "--cfg", "job"])
        told = capsys.readouterr()
        return told.out if code == 0 else told.err

    return show


@pytest.mark.parametrize("arguments", [FILES, RECORDS, ["experiment=kit_dbscan_x10",
                                                        "dataset.path=f.csv"]])  # fmt: skip
def test_what_is_shown_runs_as_it_was_shown(shown, tmp_path, arguments):
    text = shown(*arguments)
    (tmp_path / "my file.yaml").write_text(text)
    assert OmegaConf.create(shown("my file.yaml")) == OmegaConf.create(text)
    # So does what a run keeps, also in conf/experiment/ without a head.
    kept = to_yaml(compose_experiment(arguments))
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "kept.yaml").write_text(kept)
    assert OmegaConf.create(shown("experiment=kept")) == OmegaConf.create(kept)


def test_another_choice_replaces_that_of_a_whole_file(shown, tmp_path):
    (tmp_path / "my.yaml").write_text(to_yaml(compose_experiment(FILES)))
    changed = ["algo=kmeans", "dataset=online_retail", "dataset.path=other.csv"]
    found = OmegaConf.create(shown("my.yaml", *changed))
    expected = compose_experiment(["features=rfm", *changed])
    assert found == OmegaConf.create(to_yaml(expected))


def test_an_experiment_needs_no_head(shown, tmp_path):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    text = "defaults:\n  - override /algo: dbscan\nname: mine\ndataset:\n  n_customers: 150\n"
    for head, name in (("", "bare"), ("# @package _global_\n", "headed")):
        (tmp_path / "conf" / "experiment" / f"{name}.yaml").write_text(head + text)
    assert shown("experiment=bare") == shown("experiment=headed")
    assert OmegaConf.create(shown("experiment=bare")).algo.name == "dbscan"


def test_an_unknown_key_is_not_told_to_be_itself(shown, tmp_path):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "mine.yaml").write_text("experiment:\n  name: mine\n")
    told = shown("experiment=mine")
    assert "unknown key 'experiment'" in told
    assert "Did you mean" not in told


def test_a_mistyped_key_of_a_whole_file_is_told_with_those_of_its_kind(shown, tmp_path):
    text = to_yaml(compose_experiment(FILES)).replace("separator:", "seperator:")
    (tmp_path / "my.yaml").write_text(text)
    assert "unknown key 'dataset.seperator'. Did you mean 'separator'" in shown("my.yaml")
