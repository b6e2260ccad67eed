"""What several test modules share."""

from __future__ import annotations

import _posixsubprocess
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from segrun.config import (
    BadLines,
    ColumnsConfig,
    DateOrder,
    Decimal,
    FileConfig,
    TransactionsConfig,
)
from segrun.data.cache import cache_directory
from segrun.rundir.customers import Customers
from segrun.rundir.store import read_csv

HEAVY_CALLS = [(os, "fork"), (os, "posix_spawn"), (subprocess, "_fork_exec"),
               (_posixsubprocess, "fork_exec")]  # fmt: skip

# How fast examples are made is no property of segrun: a busy machine must not fail a test.
settings.register_profile(
    "segrun",
    deadline=None,
    max_examples=30,
    suppress_health_check=[
        HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large,
    ],
)  # fmt: skip
settings.register_profile("thorough", settings.get_profile("segrun"), max_examples=300)
settings.load_profile("segrun")

# Machine code is no result: no test compiles what another one has compiled.
os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_directory() / "numba"))


#: What uses them starts processes, runs whole experiments or reads the real file.
HEAVY = {"segrun", "cold_segrun", "start", "warm", "postgres", "run_of", "shell", "online_retail"}


def pytest_ignore_collect(collection_path, config):
    """Leave files out of the quick loop that are heavy as a whole: imports take their time."""
    if config.option.markexpr == "quick" and collection_path.suffix == ".py":
        return "\npytestmark = pytest.mark.heavy" in collection_path.read_text() or None
    return None


def pytest_collection_modifyitems(items):
    """Mark as quick what is not slow or heavy, by its own marker or by its fixtures."""
    for item in items:
        marked = item.get_closest_marker("slow") or item.get_closest_marker("heavy")
        if not marked and HEAVY.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.quick)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Let a quick test fail that starts a process or compiles a kernel."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("quick"):
            for where, name in HEAVY_CALLS:
                patch.setattr(where, name, _refuse)
            if "numba" in sys.modules:
                patch.setattr("numba.core.dispatcher.Dispatcher.compile", _refuse)
        return (yield)


def _refuse(*_arguments, **_options):
    pytest.fail("a quick test starts a process or compiles a kernel: mark it pytest.mark.heavy")


@pytest.fixture(scope="session")
def online_retail() -> Path:
    """The real UCI file, named by SEGRUN_ONLINE_RETAIL."""
    path = os.environ.get("SEGRUN_ONLINE_RETAIL")
    if not path:
        pytest.skip("SEGRUN_ONLINE_RETAIL does not name the UCI Online Retail CSV")
    return Path(path)


@pytest.fixture(scope="session")
def warm():
    """The module warm.py, and as its `path` the socket of a server that it runs."""
    spec = importlib.util.spec_from_file_location("warm", Path(__file__).with_name("warm.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="segrun-") as folder:
        module.path = str(Path(folder) / "socket")
        command = [sys.executable, module.__file__, "serve", module.path]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdout.readline() == b"ready\n"
            yield module
            server.kill()


@pytest.fixture(scope="session")
def segrun(warm, cold_segrun):
    """Run the real command in a process of its own: segrun("algo=kmeans", cwd=folder)."""

    def command(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        if any(not name.startswith(("SEGRUN_", "PYTHONPATH")) for name in variables):
            # Libraries may read them when they are imported.
            return cold_segrun(*arguments, cwd=cwd, **variables)
        with (
            open(os.devnull) as nothing,  # noqa: PTH123
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as err,
        ):
            streams = [nothing.fileno(), out.fileno(), err.fileno()]
            environment = cold_segrun.environment | variables
            code = warm.ask(warm.path, arguments, str(cwd), environment, streams, 300)
            out.seek(0), err.seek(0)
            return subprocess.CompletedProcess(arguments, code, out.read(), err.read())

    return command


@pytest.fixture(scope="session")
def cold_segrun(tmp_path_factory):
    """Run the real command in an interpreter of its own, which takes seconds longer."""
    environment = {**os.environ, "SEGRUN_CACHE": str(tmp_path_factory.mktemp("cache"))}

    def command(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "segrun", *arguments],
            cwd=cwd, capture_output=True, text=True, check=False, timeout=300,
            env=environment | variables,
        )  # fmt: skip

    command.environment = environment
    return command


@pytest.fixture(scope="session")
def paste(tmp_path_factory, warm):
    """Run a text as a shell runs what is pasted into it: paste(text, folder, VARIABLE=...)."""
    own = tmp_path_factory.mktemp("shell")
    (own / "segrun").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -S -E "{warm.__file__}" "{warm.path}" "$@"\n'
    )
    (own / "segrun").chmod(0o755)
    variables = {
        **os.environ,
        "PATH": f"{own}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SEGRUN_CACHE": str(own / "cache"),
    }

    def pasted(text: str, folder, **more):
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=folder, env=variables | more, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=900,
        )  # fmt: skip

    return pasted


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Run shell commands in an empty folder, with a virtual environment that sees this one's."""
    folder = tmp_path_factory.mktemp("user")
    environment = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    (site,) = environment.glob("lib/python*/site-packages")
    base = sysconfig.get_paths()["purelib"]
    # Not a plain path: the other environment's own .pth files count as well.
    (site / "base.pth").write_text(f"import site; site.addsitedir({base!r})\n")
    command = environment / "bin" / "segrun"
    command.write_text(f"#!/bin/sh\nexec '{environment}/bin/python' -m segrun \"$@\"\n")
    command.chmod(0o755)
    variables = {
        **os.environ,
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "SEGRUN_CACHE": str(folder / "cache"),
        # What builds a distribution is there already: no network is needed.
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }

    def run(text, cwd=folder):
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=cwd, env=variables, capture_output=True, text=True, check=False,
        )  # fmt: skip

    run.folder = folder
    return run


def file_settings(path, columns=None, **changes):
    """The settings of conf/dataset/online_retail.yaml, or of transactions with columns."""
    values = {
        "name": "online_retail", "path": str(path), "sheet": None, "encoding": "auto",
        "separator": "auto", "decimal": Decimal.auto, "date_order": DateOrder.auto,
        "date_format": None, "missing": ["NA", "NULL", "nan"], "bad_lines": BadLines.refuse,
    } | changes  # fmt: skip
    if columns is None:
        return FileConfig(**values)
    return TransactionsConfig(**values | {"columns": ColumnsConfig(**columns)})


@pytest.fixture(scope="session")
def settings_of():
    """Settings of a file: settings_of(path, columns={...}, decimal=...)."""
    return file_settings


@pytest.fixture
def customers() -> Customers:
    """Seven customers with one amount and two counts."""
    rng = np.random.default_rng(7)
    return Customers(
        "CustomerID",
        np.array([f"c{i}" for i in range(7)], dtype=object),
        {
            "Amount": rng.normal(20, 5, 7),
            "NumberOfOrders": rng.integers(1, 9, 7),
            "Recency": rng.integers(0, 300, 7),
        },
    )


@pytest.fixture(scope="session")
def composed():
    """Compose an experiment in-process: composed("algo=dbscan", "seed=3")."""
    from hydra import compose, initialize_config_dir

    from segrun.cli.compose import prepare
    from segrun.config import conf_directory, to_experiment

    def made(*overrides):
        prepare()
        with initialize_config_dir(str(conf_directory()), version_base="1.3"):
            return to_experiment(compose("segrun", list(overrides)))

    return made


def _run_of(folder, *overrides):
    # Late: most tests need no Hydra.
    from hydra import compose, initialize_config_dir

    from segrun.cli.compose import prepare
    from segrun.config import conf_directory, to_experiment
    from segrun.jobs import run_job as run
    from segrun.rundir.finished import open_run

    prepare()
    own = ["backend=sklearn", "preflight.action=none"]
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        experiment = to_experiment(compose("segrun", [*own, *overrides]))
    run(experiment, folder)
    return open_run(folder)


@pytest.fixture(scope="session")
def run_of():
    """Run an experiment in this process: run_of(folder, "algo=dbscan", ...) is finished."""
    return _run_of


def _programs():
    """The folder of initdb and postgres: Debian keeps them out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    initdb = found[0] if found else shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def _unprivileged():
    """Start of a command that a server may run as: root it refuses."""
    if os.geteuid() != 0:
        return [], None
    user = pwd.getpwnam("nobody")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user


@pytest.fixture(scope="session")
def postgres():
    """URL of a real PostgreSQL server: SEGRUN_TEST_POSTGRES_URL, or one of our own."""
    url = os.environ.get("SEGRUN_TEST_POSTGRES_URL")
    if url:
        yield url
        return
    programs = _programs()
    if programs is None:
        pytest.skip("no initdb here: install Debian's postgresql, or set SEGRUN_TEST_POSTGRES_URL")
    as_user, user = _unprivileged()
    # Not pytest's folder, which only root may enter; and the path of a socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="segrun-pg-"))
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    server = None
    try:
        _make(programs, as_user, folder)
        command = [programs / "postgres", "-D", folder / "data", "-k", folder, "-c",
                   "listen_addresses=", "-c", "fsync=off"]  # fmt: skip
        with (folder / "log").open("w") as log:
            server = subprocess.Popen([*as_user, *command], stdout=log, stderr=log, cwd=folder)
        url = f"postgresql://postgres@/postgres?host={folder}"
        _wait(url, server, folder / "log")
        yield url
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)
            server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _make(programs, as_user, folder):
    done = subprocess.run(
        [*as_user, programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust",
         "--no-sync", "-E", "UTF8", "--locale=C"],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _wait(url, server, log):
    import psycopg

    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"PostgreSQL did not start: {log.read_text()}")


#: What fixed names of committed experiments say: columns that are high (1) or low (-1).
_SAID = {
    "Champions": {"Amount": 1, "NumberOfOrders": 1, "Recency": -1},
    "Loyal": {"NumberOfOrders": 1, "Recency": -1},
    "Promising": {"Recency": -1},
    "New": {"FirstPurchase": -1},
    "At risk": {"Recency": 1},
    "Lapsed": {"Recency": 1},
    "Robots": {"Views": 1},
    "Deep readers": {"Pages": 1},
    "Regulars": {"Sessions": 1},
    "Passers-by": {"Views": -1},
    "Bargain hunters": {"Promoted": 1},
    "Low": {"Total": -1},
    "High": {"Total": 1},
}


@pytest.fixture(scope="session")
def check_names_are_true():
    """check_names_are_true(path): neither mean nor median of profile.csv is against a name."""

    def check(path):
        rows = read_csv(path / "segments" / "profile.csv")
        n_checked = 0
        for row in rows:
            side = _SAID.get(row["name"], {}).get(row["column"])
            if row["name"] == f"High {row['column']}":
                side = 1
            if row["name"] in (f"Low {row['column']}", f"Low {row['column']} 2"):
                side = -1
            if side is None:
                continue
            n_checked += 1
            for of in ("mean", "median"):
                own, every = float(row[of]), float(row[f"overall_{of}"])
                assert side * own >= side * every, (row["name"], row["column"], of, own, every)
        return n_checked

    return check
