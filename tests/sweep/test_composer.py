"""What the composer merges is what Hydra composes."""

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict

from segrun import config
from segrun.cli import compose
from segrun.sweep.composer import Composer, plain

OVERRIDES = [
    [],
    ["algo=dbscan", "seed=3"],
    ["algo=kmeans", "algo.grid.n_clusters=[3,5]", "++algo.params.tol=1", "name=x"],
    ["experiment=kit_kmeans_x10", "algo.params.tol=1e-3", "dataset.path=foo"],
    ["experiment=kit_dbscan_x1", "algo=birch", "seed=${timing.repeats}"],
    ["transform=pca", "transform.pca=0.5", "transform.log1p=['*']"],
    ["dataset=transactions", "dataset.path=a b", "dataset.columns={customer: A, date: B}"],
    ["~algo.grid.tol", "algo.params.tol=1e-4"],
]


@pytest.fixture(scope="module")
def loader_and_master():
    compose.prepare()
    setup_globals()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config.conf_directory()), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        own = ["hydra.sweep.dir=there", "hydra.job.config.override_dirname.exclude_keys=[seed]"]
        yield loader, loader.load_configuration("segrun", own, run_mode=RunMode.MULTIRUN)
    GlobalHydra.instance().clear()


@pytest.mark.heavy
@pytest.mark.parametrize("overrides", OVERRIDES, ids=" ".join)
def test_a_composed_job_equals_hydras(loader_and_master, overrides, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loader, master = loader_and_master
    wanted = loader.load_sweep_config(master, overrides)
    with open_dict(wanted):
        wanted.hydra.job.num = wanted.hydra.job.id = 7
        folder = f"7-{wanted.algo.name}"
        wanted.hydra.runtime.output_dir = str(tmp_path / "there" / folder)
        hydra = plain(wanted.hydra)
        del wanted["hydra"]

    found = Composer(loader, master).compose(overrides, 7)

    assert found.folder == folder
    assert OmegaConf.to_yaml(found.task) == OmegaConf.to_yaml(wanted)
    assert found.task == wanted
    changed = {key.removeprefix("hydra."): part for key, part in found.hydra.items()}
    own = plain(master.hydra) | changed
    for cwd in (own["runtime"], hydra["runtime"]):
        del cwd["cwd"]
    assert own == hydra


@pytest.mark.heavy
def test_jobs_of_one_choice_do_not_share_values(loader_and_master):
    composer = Composer(*loader_and_master)
    first = composer.compose(["algo=kmeans", "seed=1"], 0)
    second = composer.compose(["algo=kmeans"], 1)
    assert (first.task.seed, second.task.seed) == (1, 0)


@pytest.mark.heavy
@pytest.mark.parametrize("overrides", [["algo=kmean"], ["sead=1"], ["seed=one"], ["~algo.nothing"]])
def test_what_hydra_refuses_the_composer_refuses(loader_and_master, overrides):
    loader, master = loader_and_master
    with pytest.raises(HydraException) as ours:
        Composer(loader, master).compose(overrides, 0)
    with pytest.raises(HydraException) as theirs:
        loader.load_sweep_config(master, overrides)
    assert str(ours.value) == str(theirs.value)
