"""What every key declares: an effect, and the numbers it may be."""

import math
from dataclasses import dataclass

import pytest

from segrun.config import Effect, check_ranges, declarations, effects, key, values_with
from segrun.errors import ConfigError

pytestmark = pytest.mark.heavy


def test_a_key_without_an_effect_does_not_import():
    with pytest.raises(TypeError, match="effect"):

        @dataclass
        class Settings:
            colour: str = key("Colour of the page.")


def test_every_key_is_a_group_or_has_an_effect():
    groups = {name.rpartition(".")[0] for name, _ in declarations()}
    for name, item in declarations():
        assert name in groups or isinstance(item.metadata["effect"], Effect), name


def test_options_of_a_group_agree_on_what_a_key_changes():
    found = {}
    for name, item in declarations():
        if "effect" in item.metadata:
            assert found.setdefault(name, item.metadata["effect"]) is item.metadata["effect"], name


def test_what_has_an_effect_is_chosen_and_what_nobody_knows_is_kept():
    values = {"seed": 3, "timing": {"repeats": 2, "of later": 1}, "sweep": {"reuse": True}}
    assert values_with(values, {Effect.DATA}) == {"seed": 3, "timing": {"of later": 1}}
    assert values_with(values, {Effect.NONE}) == {
        "timing": {"of later": 1},
        "sweep": {"reuse": True},
    }
    assert effects()["timing.repeats"] is Effect.TIMINGS


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("timing.repeats=0", "timing.repeats must be at least 1. Got 0 instead"),
        ("seed=-1", "seed must be from 0 to 4294967295. Got -1 instead"),
        ("preflight.max_seconds=0", "preflight.max_seconds must be above 0, or null. Got 0"),
        ("segments.stability.share=1", "segments.stability.share must be above 0 and below 1. Got"),
        ("preflight.max_memory_share=1.5", "must be above 0 and at most 1. Got 1.5 instead"),
        ("dataset.contrast=21", "dataset.contrast must be from 1 to 20. Got 21"),
    ],
)
def test_a_number_out_of_its_range_is_one_message(composed, change, said):
    with pytest.raises(ConfigError) as raised:
        check_ranges(composed(change))
    assert str(raised.value).startswith(said) or said in str(raised.value)


def test_the_ends_of_a_range_and_null_are_in_it(composed):
    check_ranges(composed("evaluation.max_noise_share=0", "evaluation.max_share=1", "seed=0",
                          "preflight.max_seconds=null"))  # fmt: skip


def test_no_number_is_in_no_range(composed):
    experiment = composed()
    experiment.evaluation.max_noise_share = math.nan
    with pytest.raises(ConfigError, match="Got nan instead"):
        check_ranges(experiment)


def test_the_file_that_sets_a_value_is_named(composed, tmp_path, monkeypatch):
    own = tmp_path / "conf" / "evaluation" / "mine.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("min_share: 2.0\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"evaluation\.min_share .*Got 2\.0.*mine\.yaml"):
        check_ranges(composed("evaluation.min_share=2.0"))
