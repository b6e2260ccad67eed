"""KEY=VALUE as people type it: what was typed is what is meant, and what is read."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from segrun.cli.compose import compose_experiment
from segrun.config.override import as_typed, changed, segments_config, setting
from segrun.errors import ConfigError

#: As browsers, mail programs and people call files.
NAMES = [
    "orders (1).csv", "Kunden März.csv", "it's.csv", "a=b.csv", "data [2020].csv", "a#b.csv",
    "a, b.csv", "x & y.csv", "50%.csv", "~tmp.csv", "客户.csv", "{1}.csv", "[1]", "true", "1e3",
    "C:\\new\\it's\\.csv", "back\\", 'say "x".csv', "a'b'c.csv", "f(1).csv", "choice(a,b).csv",
    "2020", "007", "-1", "a: b", "!x", "*.csv", "a;b.csv",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_text_is_what_was_typed_on_every_command_line(name):
    (argument,), given = as_typed([f"dataset.path={name}"])
    override = OverridesParser.create().parse_override(argument)
    assert not override.is_sweep_override()
    assert (str(override.value()), given) == (name, {})
    # apply and ingest; describe.
    assert changed({"path": "x"}, [f"dataset.path={name}"], "dataset") == {"path": name}
    assert segments_config({}, [f"segments.names.by={name}"]).names.by == name


@pytest.mark.parametrize("name", [n for n in NAMES if "," not in n and n != "back\\"])
def test_a_list_divided_by_commas_stays_a_sweep_in_a_multirun(name):
    (_, argument), _ = as_typed(["-m", rf"dataset.path=first.csv,{name},'a,b.csv',c\,d.csv"])
    override = OverridesParser.create().parse_override(argument)
    values = [
        OverridesParser.create().parse_override(f"k={text}").value()
        for text in override.sweep_string_iterator()
    ]
    assert list(map(str, values)) == ["first.csv", name, "a,b.csv", "c,d.csv"]


@pytest.mark.parametrize(("text", "value"), [("null", None), ("'null'", "null"), ("'a b'", "a b")])
def test_null_and_quotes_are_as_they_were(text, value):
    assert setting(f"dataset.sheet={text}") == (("dataset", "sheet"), value)


TABLE = ("dataset=table", "dataset.path=t.csv", "dataset.id=id", "features=table")


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["Income", "Größe", "Annual Income (k$)", "Dr. Income"])
@pytest.mark.parametrize("plus", ["", "+", "++"])
def test_a_column_can_be_set_that_is_not_there_yet(name, plus):
    first, second = (
        compose_experiment([*TABLE, text]).features.columns[name]
        for text in (
            f"{plus}features.columns.{name}.missing=median",
            f'{plus}features.columns={{"{name}": {{missing: median}}}}'
            if not name.isidentifier() or not name.isascii()
            else f"{plus}features.columns={{{name}: {{missing: median}}}}",
        )
    )
    assert first == second
    assert (first.missing, first.max_categories) == ("median", 20)


@pytest.mark.heavy
def test_names_of_the_users_own_with_points_and_texts():
    found = compose_experiment(
        ["engine=pyspark", "engine.options.spark.executor.cores=2",
         "segments.names.rules.Gift shops=Amount > q80", "segments.names.rules.Low=Amount < q20"]
    )  # fmt: skip
    assert found.engine.options == {"spark.executor.cores": "2"}
    assert found.segments.names.rules == {"Gift shops": "Amount > q80", "Low": "Amount < q20"}


@pytest.mark.heavy
def test_columns_keep_their_order_whatever_is_set_of_them():
    two = "features.columns={First: {function: count}, Last: {function: count}}"
    found = compose_experiment(
        ["dataset=records", "dataset.path=x", "dataset.id=i", "features=aggregate", two,
         "features.columns.Last.where=n > 3"]
    )  # fmt: skip
    assert list(found.features.columns) == ["First", "Last"]
    assert found.features.columns["Last"].where == "n > 3"


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("features.columns.Income.mising=median", "Did you mean 'missing'"),
        ("features.columns={Income: {mising: median}}", "Did you mean 'missing'"),
        ("segments.names.rule.X=y", "Did you mean 'rules'"),
        ("algo.params.n_cluster=3", "Did you mean 'n_clusters'.*To add it: .algo.params.n_cluster"),
    ],
)
def test_a_mistyped_key_is_told(argument, told):
    with pytest.raises(ConfigError, match=told):
        compose_experiment([*TABLE, argument])


@pytest.mark.parametrize(
    "argument",
    ["+hydra.callbacks.noted._target_=noted.Noted", "+algo.params.x.y=3", "algo.grid.tol=[1e-3",
     "algo=dbscan", "~dataset.sheet", "-m", "--config-dir=a b", "hydra.launcher.n_jobs=2",
     "seed=1,2", "algo.params.n_clusters=range(2,5)", "dataset.path=${oc.env:HOME}/a.csv"],
)  # fmt: skip
def test_what_is_for_hydra_stays_as_it_is(argument):
    assert as_typed([argument]) == ([argument], {})


def test_what_cannot_be_swept_is_refused_and_not_taken_for_one_value():
    with pytest.raises(ConfigError, match="cannot be swept here"):
        as_typed(["-m", "features.columns.Größe.missing=mean,median"])
