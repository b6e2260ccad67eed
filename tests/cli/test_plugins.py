"""The page of segrun plugins, with plugins that are broken in one way each."""

import re

import pytest

from segrun.algorithms import registry

MODULE = """
from segrun.algorithms.base import Algorithm


def _make(backend, **params):
    {make}


algorithm = Algorithm("{name}", _make, "{name}.conf")
"""
YAML = "name: {name}\nparams: {{n_clusters: null}}\ngrid: {{n_clusters: [2, 3]}}\n"
KMEANS = "return backend.make('KMeans', **params)"

#: name: (body of make, YAML, what the page says)
PLUGINS = {
    "right": (KMEANS, YAML, "runs on onedal|runs on sklearn .scikit-learn-intelex is not"),
    "birches": (
        "return backend.make('Birch', **params)", YAML,
        r"runs on sklearn \(scikit-learn-intelex has no Birch\)",
    ),
    "heavy": (
        "import a_library_of_the_future", YAML,
        "cannot run here: ModuleNotFoundError: No module named 'a_library_of_the_future'",
    ),
    "exits": ("raise SystemExit(3)", YAML, "cannot run here: SystemExit: 3"),
    "chatty": ("print('hello'); " + KMEANS, YAML, "runs on"),
    "swift": (
        KMEANS, YAML.replace("params: {{", "params: {{speed: 3, "),
        "cannot run here: ConfigError: algo.params.speed: KMeans has no parameter 'speed'",
    ),
    "empty": (KMEANS, YAML.replace("[2, 3]", "[]"), "cannot run here: ConfigError: algo.grid"),
    "listed": (
        KMEANS, "name: {name}\nparams: [n_clusters]\n",
        "cannot run here: its YAML cannot be read: params must be names with values",
    ),
    "torn": (KMEANS, "name: {{", "cannot run here: its YAML cannot be read"),
    "missing": (KMEANS, None, "there is no algo/missing.yaml in missing.conf"),
    "other": (KMEANS, YAML, "does not load: ValueError: other:algorithm calls itself 'another'"),
}  # fmt: skip


@pytest.fixture(scope="module")
def page(segrun, tmp_path_factory):
    """What the page says of each plugin, by its name."""
    site = tmp_path_factory.mktemp("site")
    info = site / "plug-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1.5\n")
    entries = "".join(f"{name} = {name}:algorithm\n" for name in PLUGINS)
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{entries}")
    for name, (make, text, _) in PLUGINS.items():
        (site / name / "conf" / "algo").mkdir(parents=True)
        module = MODULE.format(name="another" if name == "other" else name, make=make)
        (site / name / "__init__.py").write_text(module)
        if text is not None:
            (site / name / "conf" / "algo" / f"{name}.yaml").write_text(text.format(name=name))
    done = segrun("plugins", cwd=tmp_path_factory.mktemp("user"), PYTHONPATH=str(site))
    assert done.returncode == 0, done.stderr
    parts = re.split(r"^(\w+)  ", done.stdout, flags=re.MULTILINE)
    assert parts[0] == ""
    # Lines are wrapped.
    return {
        name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }


@pytest.mark.parametrize("name", PLUGINS)
def test_each_says_whether_it_runs_here_and_why_not(page, name):
    assert re.search(PLUGINS[name][2], page[name]), page[name]
    assert page[name].startswith("(plug")


@pytest.mark.parametrize("name", ["right", "birches", "heavy", "exits", "chatty"])
def test_each_has_its_distribution_parameters_and_grid(page, name):
    assert page[name].startswith("(plug 1.5) parameters: n_clusters grid: n_clusters [2, 3] ")


def test_the_broken_hide_none_of_the_others(page):
    for name in ("kmeans", "dbscan"):
        assert re.search(r"^\(segrun .* runs on \w+", page[name]), page[name]
    assert "runs on sklearn" in page["birch"]
