from itertools import zip_longest

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from segrun import config
from segrun.cli.compose import prepare
from segrun.config import conf_directory
from segrun.errors import ConfigError

pytestmark = pytest.mark.heavy

GROUPS = [p for p in conf_directory().iterdir() if p.is_dir() and p.name not in ("hydra",)]
FILES = {group.name: [file.stem for file in sorted(group.glob("*.yaml"))] for group in GROUPS}
EXPERIMENTS = [[f"experiment={name}"] for name in FILES.pop("experiment")]
#: Every choice of every group, one of each at a time.
CHOICES = [
    [f"{group}={name}" for group, name in zip(FILES, names, strict=True) if name is not None]
    for names in zip_longest(*FILES.values())
]


def composed(*overrides):
    prepare()
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        return compose("segrun", list(overrides))


def leaves(node, prefix=""):
    for name, value in node.items():
        yield f"{prefix}{name}"
        open_ended = prefix + name in ("algo.params", "algo.grid", "algo.search")
        if isinstance(value, dict) and not open_ended:
            yield from leaves(value, f"{prefix}{name}.")


@pytest.mark.parametrize("choices", [*CHOICES, *EXPERIMENTS], ids=" ".join)
def test_every_committed_choice_composes_and_every_key_is_documented(choices):
    experiment = composed(*choices)
    for name in ("path", "id"):
        if OmegaConf.is_missing(experiment.dataset, name):
            experiment.dataset[name] = "given"
    whole = OmegaConf.create(config.to_yaml(config.to_experiment(experiment)))
    for name in leaves(OmegaConf.to_container(whole)):
        assert config.meaning(name).strip().endswith("."), name


def test_the_record_of_an_experiment_composes_to_the_same_experiment():
    experiment = config.to_experiment(composed("algo=dbscan", "augmentation=x10", "seed=3"))
    again = OmegaConf.create(config.to_yaml(experiment))
    assert config.to_yaml(config.to_experiment(OmegaConf.merge(experiment, again))) == (
        config.to_yaml(experiment)
    )


def test_the_one_seed_reaches_the_algorithm():
    assert config.to_experiment(composed("seed=11")).algo.params["random_state"] == 11


@pytest.mark.parametrize("added", ["+nonsense=1", "+dataset.nonsense=1", "+timing.x.y=2"])
def test_a_key_that_the_schema_lacks_cannot_be_added(added):
    with pytest.raises(ConfigError, match=r"unknown key .*Keys there: "):
        config.to_experiment(composed(added))


def test_parameters_of_an_algorithm_can_be_added():
    experiment = config.to_experiment(composed("+algo.params.verbose=0"))
    assert experiment.algo.params["verbose"] == 0


def test_plain_give_the_experiment_again():
    for overrides in (
        ["dataset=table", "dataset.path=f", "dataset.id=i", "+dataset.columns={a: text}",
         "features=table", "+features.columns={a: {encode: ordinal, categories: [x, y]}}"],
        ["experiment=dataflow_tiers_groups"],
        ["experiment=alibaba_rfm"],
    ):  # fmt: skip
        experiment = config.to_experiment(composed(*overrides))
        assert config.from_plain(config.plain(experiment)) == experiment
