"""Every command that README, docs and `segrun --help` print is pasted into a shell, and works.

None is left out silently: a command is run, or skipped with a reason that pytest prints; what
stands for something else (NAME, KEY=VALUE) is replaced by the table below, and files and runs that
are named are really there, only small (see conftest.py).
"""

from __future__ import annotations

import re
import shutil
import sys
from collections import Counter
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

# Of no package: the tests are none.
spec = spec_from_file_location("printed", Path(__file__).with_name("printed.py"))
printed = sys.modules["printed"] = module_from_spec(spec)
spec.loader.exec_module(printed)
ROOT, is_mention = printed.ROOT, printed.is_mention

#: What usage lines leave open, and what is pasted for it. The first that fits.
OPEN = [
    ("segrun COMMAND", []),
    ("KEY=VALUE,VALUE", ["algo=kmeans,dbscan"]),
    ("dataset.KEY=VALUE", ["dataset.encoding=utf-8"]),
    ("KEY=VALUE", ["seed=1"]),
    ("experiment=NAME", [f"experiment={name}" for name in (
        "alibaba_rfm", "dataiku_weblogs", "dataflow_tiers", "dataflow_tiers_groups")]),
    ("dataset=NAME --output FILE", [f"dataset={name} --output {name}.csv" for name in (
        "synthetic_retail", "synthetic_sales", "synthetic_weblogs")]),
    ("plugins check NAME", ["plugins check kmeans"]),
    ("plugins new NAME", ["plugins new tiers"]),
    ("RUN|SWEEP", ["RUN", "SWEEP"]),
    ("FILE|DATABASE_URL", ["placed.csv", "sqlite:///placed.db"]),
    ("FILE|URL", ["placed.csv", "sqlite:///placed.db"]),
    ("PATH [dataset.path=FILE] [hydra.sweep.dir=DIR]",
     ["RUN dataset.path=shop.csv", "SWEEP hydra.sweep.dir=DIR"]),
    ("reproduce PATH", ["reproduce RUN", "reproduce SWEEP", "reproduce bench_kmeans_small"]),
    ("apply RUN INPUT --output FILE", ["apply RUN new.csv --output placed.csv"]),
    ("ingest RUN FILE", ["ingest RUN new.csv"]),
    ("--output FILE", ["--output made.csv"]),
    ("FOLDER", ["elsewhere"]),
    ("DAYS", ["30"]),
]  # fmt: skip

#: Where a size is the point of the page and not of the command.
SMALLER = [
    ("n_users=1100000", "n_users=1100"),
    ("n_users=5000000", "n_users=500"),
    ("--bytes 6.8GB", "--bytes 6.8MB"),
    ("n_trials=60", "n_trials=6"),
    ("augmentation.rows=5000000", "augmentation.rows=5000"),
    (r"(experiment=bench_many_customers)(?!.*rows=)", r"\1 augmentation.rows=500,1000"),
    (r"(experiment=bench_growth_\w+)", r"\1 augmentation.rows=100,200,400 timing.round=0,1"),
    # The minute's file, whatever minute it is.
    (r"segrun ingest /data/runs/shop /data/tills/(.*csv)",
     r'F=\1; cp 2011-12-09.csv "$F"; segrun ingest RUN "$F"'),
    # The road of a cluster without one.
    (r"(hydra/launcher=submitit)", r"\1 hydra.launcher.cluster=local"),
]  # fmt: skip

#: What cannot be run here. Engines and servers that are here are not skipped.
SKIPPED = [
    (r"^python3 -m venv|\.venv-test/", ".ci/run gives it in a fresh clone"),
    (r"spark-class|engine.master=spark://|SEGRUN_CACHE=/shared",
     "needs a Spark cluster: .ci/engines has one"),
    (r"^ray start|engine.address=HOST", "needs a Ray cluster: .ci/engines has one"),
    (r"^\.ci/engines", "makes an environment of 2 GB"),
    (r"segrun-tiers|check tiers|algo=tiers",
     "tests/test_plugin_docs.py pastes it into an environment of its own"),
    (r"^pip install 'segrun", "tests/rundir/test_environment.py and .ci/run install them"),
    (r"optuna-dashboard", "another project's server, which does not end"),
]  # fmt: skip

#: Take long, or more than a core's memory.
SLOW = [
    r"experiment=kit_\w+,", r"bench_\w+_x\d+", r"submitit", r"plugins check", r"doctor --all",
    r"bench_growth", r"bench_many", r"bench_\w+_small", r"reproduce (RUN|PATH)", r"fetch",
    r"tiers", r"experiment=(NAME|movielens|planted_types)", r"seed=1,2,3$", r"-m features",
]  # fmt: skip

#: Files that a page means by a name which others use otherwise.
MEANT = {
    "docs/using.md": {"views.csv": "new.csv"},
    "docs/scale.md": {"sales.csv": None},
    "conf/experiment/dataiku_weblogs.yaml": {"views.csv": "weblogs.csv"},
    "conf/experiment/dataflow_tiers_groups.yaml": {"sales.csv": "grouped.csv"},
    "conf/dataset/records.yaml": {"FILE": "pages.csv"},
    "conf/dataset/table.yaml": {"FILE": "people.csv"},
    "conf/dataset/transactions.yaml": {"FILE": "payments.csv"},
}


def variants(text: str) -> list[str]:
    """Return what is pasted for a printed command: filled in, with and without what may be left."""
    if "<<" in text:
        return [text]
    text = re.sub(r"\s+#\s.*", "", text)
    if text.startswith("* * "):
        # A crontab's line.
        text = text.lstrip("* ").replace("\\%", "%")
    found = [_runnable(one) for filled in _filled(text) for one in _optional(filled)]
    return list(dict.fromkeys(found))


def _filled(text: str) -> list[str]:
    for open_part, values in OPEN:
        if open_part in text:
            return [t for value in values for t in _filled(text.replace(open_part, value, 1))]
    return [text]


def _optional(text: str) -> list[str]:
    """Return a usage line without and with what stands in brackets, and without "more of it"."""
    text = re.sub(r"\s*(?<![\w/])\.\.\.(?=[\s\]]|$)", "", text)
    inner = re.search(r" \[([^\[\]'=,]*(?: seed=1)?)\]|\[(seed=1)\]", text)
    if inner is None:
        return [text]
    within = (inner[1] or inner[2]).strip()
    before, after = text[: inner.start()].rstrip(), text[inner.end() :]
    return [t for part in ("", f" {within}") for t in _optional(before + part + after)]


def _runnable(text: str) -> str:
    for pattern, small in SMALLER:
        text = re.sub(pattern, small, text)
    many = re.search(r" -m( |$)|experiment=bench|--multirun", text)
    if (
        many
        and text.startswith("segrun")
        and not re.search(r"launcher|--cfg|segrun plan|hydra.mode=RUN", text)
    ):
        # No worker processes where isolation is not what the command shows.
        text += " hydra/launcher=basic"
    return text


PRINTED = printed.everything_printed()
COMMANDS = [command for command in PRINTED if not is_mention(command.text)]
tally: Counter[str] = Counter()
#: What stands alone and was pasted already is not pasted again.
worked: set[str] = set()


def _parameter(command):
    slow = any(re.search(pattern, command.text) for pattern in SLOW)
    slow = slow or command.page.startswith("conf/")
    return pytest.param(command, id=str(command), marks=[pytest.mark.slow] if slow else [])


@pytest.fixture(scope="module")
def folder_of(world, tmp_path_factory):
    """A copy of the world for every block: its commands follow one another."""
    copies: dict[tuple[str, int], Path] = {}

    def folder(command) -> Path:
        key = (command.page, command.block)
        if key not in copies:
            copy = copies[key] = tmp_path_factory.mktemp("block") / "work"
            shutil.copytree(world, copy)
            for name, meant in MEANT.get(command.page, {}).items():
                (copy / name).unlink(missing_ok=True)
                if meant:
                    shutil.copy(copy / meant, copy / name)
        return copies[key]

    return folder


def _reason(text: str) -> str | None:
    for pattern, reason in SKIPPED:
        if re.search(pattern, text):
            return reason
    for engine, module in (("modin", "modin"), ("pyspark", "pyspark")):
        if f"engine={engine}" in text and find_spec(module) is None:
            return f"{module} is not installed: .ci/engines has it"
    return None


def _with_server(text: str, url: str) -> str:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS marts")
        connection.execute("DROP TABLE IF EXISTS marts.sales, marts.segments")
        connection.execute(
            "CREATE TABLE marts.sales AS SELECT i % 40 AS customer_id, timestamp '2024-01-01' "
            "+ i * interval '7 hours' AS sold_at, 1.25 + i % 9 AS unit_price, 1 + i % 4 AS n "
            "FROM generate_series(1, 400) AS i"
        )
        connection.execute("CREATE TABLE marts.segments (here int)")
    text = re.sub(
        r"dataset\.path=postgresql://analyst@host/shop", f"\"dataset.path='{url}'\"", text
    )
    return text.replace("postgresql://analyst@host/shop", f"'{url}'")


@pytest.mark.parametrize("command", [_parameter(command) for command in COMMANDS])
def test_a_printed_command_works(command, folder_of, paste, request):
    tally["found"] += 1
    if reason := _reason(command.text):
        tally["skipped"] += 1
        pytest.skip(reason)
    variables = {}
    if "fetch online_retail" in command.text:
        variables["SEGRUN_FETCH_URL"] = request.getfixturevalue("publisher")
    folder = folder_of(command)
    for text in variants(command.text):
        if text in worked and command.line == command.block:
            tally["pasted elsewhere"] += 1
            continue
        pasted = text
        if "postgresql://" in text:
            pasted = _with_server(text, request.getfixturevalue("postgres"))
        tally["failed"] += 1
        done = paste(pasted, folder, **variables)
        assert done.returncode == 0, f"{pasted}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, f"{pasted}\n{done.stderr}"
        tally["failed"] -= 1
        tally["pasted"] += 1
        worked.add(text)


def test_what_is_only_mentioned_is_a_command_that_says_what_it_takes(paste, tmp_path):
    mentioned = {command.text for command in PRINTED if is_mention(command.text)}
    for text in sorted(mentioned):
        done = paste(text, tmp_path)
        assert done.returncode == 2, text
        assert done.stderr.startswith("segrun: "), text
        assert "Traceback" not in done.stderr


def test_nothing_is_left_out_and_the_numbers_are_told(capsys):
    told = {
        "printed": len(PRINTED), "names of commands only": len(PRINTED) - len(COMMANDS),
        "looked at in this run": tally["found"], "pasted": tally["pasted"],
        "the same as one pasted before": tally["pasted elsewhere"],
        "skipped with a reason": tally["skipped"], "failing": tally["failed"],
    }  # fmt: skip
    with capsys.disabled():
        print("\ncommands:", ", ".join(f"{number} {what}" for what, number in told.items()))  # noqa: T201
    # Every line of code that begins with segrun is one of those found.
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        name, code = page.relative_to(ROOT).as_posix(), False
        for line, row in enumerate(page.read_text().splitlines(), 1):
            code ^= row.startswith("```")
            if code and row.startswith("segrun "):
                assert any(c.page == name and c.line == line for c in PRINTED), f"{name}:{line}"
