"""The real command, as a new user would mistype it."""

import subprocess
import sys
from importlib import import_module

import pytest

from segrun.cli.main import dispatch
from segrun.cli.pages import COMMANDS, HELP
from segrun.config import conf_directory
from segrun.data.engines import ENGINES

SMALL = "dataset.n_customers=150"


def assert_refused(done, *words, code=2):
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    message = " ".join(done.stderr.split())
    for word in words:
        assert word in message


@pytest.mark.heavy
def test_help_is_our_own_page_and_imports_neither_hydra_nor_any_heavy_library():
    code = (
        "import sys; from segrun.cli.main import dispatch; code = dispatch(['--help'])\n"
        "heavy = {'hydra', 'omegaconf', 'numpy', 'polars', 'sklearn', 'pandas', 'narwhals'}\n"
        "print(code, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("segrun - many clusterings")
    assert done.stdout.rstrip().endswith("0 []")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_of_its_own(name, capsys):
    for arguments in ([name, "--help"], [name, "RUN", "-h"], ["-h", name]):
        assert dispatch(arguments) == 0
        shown = capsys.readouterr().out
        assert shown == COMMANDS[name].page()
        assert f"usage\n  segrun {name}" in shown
        assert COMMANDS[name].about in HELP
        assert all(len(line) <= 100 for line in shown.splitlines())
    module, _, function = COMMANDS[name].target.partition(":")
    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize("name", ["apply", "export", "ingest"])
def test_a_page_tells_every_option_of_its_command(name):
    page, parser = COMMANDS[name].page(), import_module(f"segrun.cli.{name}")._arguments()
    usage, _, options = page.partition("\n\n  ")
    for action in parser._actions:
        for option in action.option_strings:
            assert option in usage
            assert option in options


def test_version_names_the_distribution(segrun, tmp_path):
    assert segrun("--version", cwd=tmp_path).stdout.startswith("segrun 0.")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dataset.n_custmers=3"], ["dataset.n_custmers", "'n_customers'", "Keys of dataset"]),
        (["alg=kmeans"], ["'alg'", "Did you mean 'algo'", "features"]),
        (["algo=kmens"], ["algo=kmens", "Did you mean 'kmeans'", "dbscan"]),
        (["algo.name=kmens"], ["kmens", "kmeans", "dbscan"]),
        (["experiment=kit"], ["experiment=kit", "kit_kmeans_x1"]),
        (["algo.params.n_cluster=3"], ["algo.params.n_cluster", "'n_clusters'"]),
        (["algo.params.n_clusters=abc"], ["n_clusters", "'abc'"]),
        (["algo.grid.n_clusters=3"], ["algo.grid.n_clusters", "list"]),
        (["+algo.grid.max_clusters=[3]"], ["max_clusters", "n_clusters"]),
        (["seed=abc"], ["seed", "'abc'", "0 to 2**32 - 1"]),
        (["seed=-1"], ["seed", "-1"]),
        (["timing.repeats=0"], ["timing.repeats", "0"]),
        (["store.models=some"], ["store.models", "all, best, none"]),
        (["features.outliers.rule=iqr"], ["features.outliers.rule", "quantile, none"]),
        (["evaluation.max_noise_share=1.5"], ["evaluation.max_noise_share", "1.5"]),
        (["augmentation=x10", "augmentation.rows=7"], ["augmentation.factor", "rows=7"]),
        (["transform.pca=-2"], ["transform.pca", "-2"]),
        (["name=a/b"], ["name", "a/b"]),
        (["name=../x"], ["name", "begin with a letter"]),
        (["hydra.output_subdir=.hydra"], ["hydra.output_subdir", "leave the setting out"]),
        (["hydra.job.chdir=true"], ["hydra.job.chdir", "leave the setting out"]),
        (["name=.."], ["name", "'..'"]),
        (["transform.log1p=[foo]"], ["transform.log1p", "foo", "Recency"]),
        (["augmentation=x10", "augmentation.lognormal_columns=[foo]"], ["foo", "Recency"]),
        (["transform.pca=50"], ["transform.pca=50", "at most 21"]),
        (["+nonsense=1"], ["nonsense"]),
        (["dataset=online_retail"], ["dataset.path", "dataset.path=VALUE"]),
        (["dataset=online_retail", "dataset.path="], ["dataset.path is empty"]),
        (["algo.grid.tol=[1e-3"], ["[1e-3", "KEY=VALUE"]),
        (["--nonsense"], ["--nonsense"]),
        (["plugin"], ["'plugin'", "plugins", "doctor"]),
        (["-m", "--cfg", "job"], ["--cfg"]),
    ],
)
def test_a_mistake_is_one_clear_message_and_exit_code_2(segrun, tmp_path, arguments, words):
    assert_refused(segrun(*arguments, cwd=tmp_path), *words)


def test_a_mistake_in_one_job_of_a_sweep_stops_all_before_any_runs(segrun, tmp_path):
    done = segrun("-m", "algo=kmeans,dbscn", SMALL, cwd=tmp_path)
    assert_refused(done, "algo=dbscn", "'dbscan'")
    assert not list(tmp_path.rglob("manifest.json"))


def test_a_missing_file_fails_and_the_directory_says_so(segrun, tmp_path):
    done = segrun("dataset=online_retail", "dataset.path=nowhere.csv", cwd=tmp_path)
    assert_refused(done, "nowhere.csv", "dataset.path", code=1)
    (manifest,) = tmp_path.rglob("manifest.json")
    assert '"status": "failed"' in manifest.read_text()
    assert not list(tmp_path.rglob("scores.csv"))


def test_the_log_of_a_failed_job_has_the_traceback_and_the_terminal_has_not(segrun, tmp_path):
    segrun("dataset=online_retail", "dataset.path=nowhere.csv", cwd=tmp_path)
    (log,) = tmp_path.rglob("segrun.log")
    assert "Traceback" in log.read_text()
    assert "nowhere.csv" in log.read_text()


def test_an_output_directory_below_a_file_is_refused(segrun, tmp_path):
    (tmp_path / "file").write_text("")
    done = segrun("hydra.run.dir=file/run", SMALL, cwd=tmp_path)
    assert_refused(done, "file/run", "hydra.run.dir", code=1)


def test_a_used_directory_is_refused_and_stays_as_it_is(segrun, tmp_path):
    arguments = ["hydra.run.dir=run", SMALL, "algo.params.n_clusters=3", "algo.params.tol=1e-4"]
    assert segrun(*arguments, cwd=tmp_path).returncode == 0
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert_refused(segrun(*arguments, "seed=1", cwd=tmp_path), "run", "in use", code=1)
    assert before == {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}


def test_the_users_conf_extends_and_overrides_the_packaged_one(segrun, tmp_path):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "algo").mkdir()
    (tmp_path / "conf" / "experiment" / "mine.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /algo: spectral\nname: mine\n"
        "dataset:\n  n_customers: 150\n"
    )
    (tmp_path / "conf" / "algo" / "spectral.yaml").write_text(
        "name: spectral\nestimator: sklearn.cluster.MeanShift\n"
        "params: {bandwidth: null, bin_seeding: true}\ngrid: {bandwidth: [4.0, 6.0]}\n"
    )
    done = segrun("experiment=mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "outputs" / "mine").rglob("*.joblib"))) == 2


def test_a_mistyped_key_in_the_users_yaml_names_the_file_and_the_options(segrun, tmp_path):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "mine.yaml").write_text(
        "# @package _global_\ntiming:\n  repeat: 3\n"
    )
    assert_refused(segrun("experiment=mine", cwd=tmp_path), "experiment/mine", "timing", "repeats")


@pytest.mark.parametrize(
    ("content", "word"), [(b"params: {a: [1", "broken.yaml"), (b"# caf\xe9", "broken.yaml")]
)
def test_a_broken_yaml_names_the_file(segrun, tmp_path, content, word):
    (tmp_path / "conf" / "algo").mkdir(parents=True)
    (tmp_path / "conf" / "algo" / "broken.yaml").write_bytes(content)
    assert_refused(segrun("algo=broken", cwd=tmp_path), word)


def test_the_config_of_another_program_in_the_folder_does_not_matter(segrun, tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text("db: {host: x}\n")
    assert segrun("--cfg", "job", cwd=tmp_path).returncode == 0


def test_a_partial_segrun_yaml_of_the_user_is_refused_and_a_whole_one_taken(segrun, tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "segrun.yaml").write_text("timing: {repeats: 2}\n")
    assert_refused(segrun("--cfg", "job", cwd=tmp_path), "segrun.yaml", "experiment=mine")
    whole = (conf_directory() / "segrun.yaml").read_text().replace("seed: 0", "seed: 41")
    (tmp_path / "conf" / "segrun.yaml").write_text(whole)
    assert "seed: 41" in segrun("--cfg", "job", cwd=tmp_path).stdout


@pytest.mark.heavy
def test_a_closed_pipe_is_no_error_message(tmp_path):
    command = f"'{sys.executable}' -m segrun plugins | true"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stderr == ""


def test_a_name_that_leaves_outputs_writes_nothing(segrun, tmp_path):
    (tmp_path / "work").mkdir()
    segrun("name=../escaped", SMALL, cwd=tmp_path / "work")
    assert [p.name for p in tmp_path.iterdir()] == ["work"]


def test_a_second_sweep_leaves_the_first_ones_directory_as_it_is(segrun, tmp_path):
    arguments = ["-m", "hydra.sweep.dir=sweep", SMALL, "algo.params.n_clusters=3"]
    assert segrun(*arguments, "seed=1,2", cwd=tmp_path).returncode == 0
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert_refused(segrun(*arguments, "seed=3,4", cwd=tmp_path), "holds a sweep", code=1)
    assert before == {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}


def test_a_job_whose_values_cannot_be_resolved_is_told_before_any_begins(segrun, tmp_path):
    done = segrun("-m", SMALL, "algo.params.n_clusters=3", "hydra.sweep.dir=sweep",
                  "dataset.name=synthetic_retail,${nope}", cwd=tmp_path)  # fmt: skip
    assert_refused(done, "job 1 (", "nope", code=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="script(1) as on Linux makes the terminal")
def test_on_a_terminal_a_failed_point_is_one_line_without_its_traceback(tmp_path):
    command = (
        f"stty cols 100; {sys.executable} -m segrun {SMALL} "
        "'algo.grid.n_clusters=[3,5000]' algo.params.tol=1e-4"
    )
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        capture_output=True, text=True, cwd=tmp_path, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "n_clusters=5000" in done.stdout
    assert "Traceback" not in done.stdout


def test_without_a_writable_home_the_embedded_data_still_runs(segrun, tmp_path):
    (tmp_path / "file").write_text("")
    done = segrun(SMALL, "algo.params.n_clusters=3", cwd=tmp_path,
                  SEGRUN_CACHE=str(tmp_path / "file" / "cache"))  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_results_go_to_stdout_and_everything_else_to_stderr(segrun, tmp_path):
    done = segrun("-m", "algo=kmeans,dbscan", SMALL, cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert lines[0].split()[:2] == ["job", "algo"]
    assert [line.split()[0] for line in lines[1:3]] == ["0-kmeans", "1-dbscan"]
    assert (tmp_path / lines[-1] / "scores.csv").is_file()


def test_plugins_lists_the_built_ins_with_their_grids(segrun, tmp_path):
    done = segrun("plugins", cwd=tmp_path)
    assert done.returncode == 0
    assert "kmeans  (segrun " in done.stdout
    assert "eps [0.3, 0.5, 0.7]" in done.stdout
    assert "sklearn.cluster.Birch" in done.stdout


def test_doctor_proves_the_backends(segrun, tmp_path):
    done = segrun("doctor", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "sklearn                works" in done.stdout
    assert "polars                 works" in done.stdout
    listed = done.stdout.partition("engines (")[2].splitlines()
    for name, engine in ENGINES.items():
        said = next(line for line in listed if line.startswith(f"  {name:<22} "))
        assert said.endswith("works") or engine.cure in said or "segrun doctor --all" in said
