"""What the tests of pages share: a small sweep, segments by hand, a browser."""

import importlib.util
from pathlib import Path

import pytest


def _neighbour(name):
    """A module beside this one; tests are no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make_sweep(segrun):
    """Run both algorithms on few customers: make_sweep(folder, ...) is the sweep directory."""

    def make(folder, *further):
        done = segrun("-m", "algo=kmeans,dbscan", "dataset.n_customers=300", "features=rfm",
                      "transform=log_standard", "backend=sklearn", "hydra.sweep.dir=sweep",
                      *further, cwd=folder)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return folder / "sweep"

    return make


@pytest.fixture(scope="session")
def describe():
    """Write segments into a run: describe(path, name=..., warnings=..., text=...)."""
    return _neighbour("described").describe


@pytest.fixture(scope="session")
def read_page():
    """Read the page in a directory: read_page(path).of("img")."""
    reader = _neighbour("reader").Reader
    return lambda path: reader((path / "report.html").read_text("utf-8"))


@pytest.fixture(scope="session")
def hostile():
    """Markup, a formula and a template in one text; {} becomes a number."""
    return (
        "<script>alert('{}')</script> & \"$x_{1}$\" </title>"
        "<img src=x onerror=alert(1)> {{7*7}} {% endif %}"
    )


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Headless Chromium with one page."""
    module = _neighbour("browser")
    program = module.find()
    if program is None:
        pytest.skip("there is no chromium here: apt-get install chromium")
    with module.Browser(program, tmp_path_factory.mktemp("profile")) as started:
        yield started
