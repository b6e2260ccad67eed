"""Clusters of real processes on this machine: the command gives what polars gives."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

#: One fit: these runs are about features.
FEW = ("algo.params.n_clusters=2", "algo.params.tol=0.001", "backend=sklearn")


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def wait_for(port, process, seconds=90):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert process.poll() is None, "it ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail("nobody listens")


@pytest.fixture(scope="module")
def started():
    """Start processes, in groups of their own, that end with the module."""
    processes = []

    def start(*command, **variables):
        process = subprocess.Popen(
            command, env={**os.environ, **variables}, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in reversed(processes):
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def spark_cluster(started, installed, tmp_path_factory):
    """A standalone Spark cluster with two workers of one core: its address and their folders."""
    installed("pyspark")
    import pyspark

    spark_class = str(Path(pyspark.__file__).parent / "bin" / "spark-class")
    port, here = free_port(), {"SPARK_LOCAL_IP": "127.0.0.1"}
    at = ("--host", "127.0.0.1", "--webui-port", "0")
    deploy = "org.apache.spark.deploy"
    master = started(spark_class, f"{deploy}.master.Master", *at, "--port", str(port), **here)
    wait_for(port, master)
    folders = [tmp_path_factory.mktemp(f"worker{i}") for i in range(2)]
    for folder in folders:
        started(
            spark_class, f"{deploy}.worker.Worker", *at, "--cores", "1", "--memory", "1g",
            "--work-dir", str(folder), f"spark://127.0.0.1:{port}", **here,
        )  # fmt: skip
    return f"spark://127.0.0.1:{port}", folders


@pytest.fixture(scope="module")
def ray_cluster(started, installed):
    """A Ray cluster of two nodes with one core: its address, and the variables to reach it."""
    installed("modin on ray")
    # Whatever token there may be for the user's own clusters, this one has another.
    reach = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid.uuid4().hex}
    ray, port = shutil.which("ray", path=str(Path(sys.executable).parent)), free_port()
    quiet = ("--num-cpus=1", "--disable-usage-stats", "--block", "--object-store-memory=200000000")
    head = started(
        ray, "start", "--head", "--node-ip-address=127.0.0.1", f"--port={port}",
        "--include-dashboard=false", *quiet, **reach,
    )  # fmt: skip
    wait_for(port, head)
    started(ray, "start", f"--address=127.0.0.1:{port}", *quiet, **reach)
    return f"127.0.0.1:{port}", reach


@pytest.fixture(scope="module")
def features_of(segrun, tmp_path_factory):
    """Run the command on a file by an engine and return the bytes of the features."""

    def run(path, *engine, **variables):
        folder = tmp_path_factory.mktemp("run")
        done = segrun(
            "dataset=online_retail", f"dataset.path={path}", "dataset.missing=[]",
            "features.outliers.rule=none", *FEW, *engine, cwd=folder, **variables,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return next(folder.glob("outputs/*/*/features_all.parquet")).read_bytes()

    return run


@pytest.fixture(scope="module")
def file(awkward, tmp_path_factory):
    return awkward.write(tmp_path_factory.mktemp("file") / "awkward.csv", awkward.lines())


def by_spark(cluster):
    master, _ = cluster
    # Both workers are waited for; the driver is on this machine.
    options = (
        "spark.driver.host: 127.0.0.1, spark.executor.cores: '1', "
        "spark.scheduler.minRegisteredResourcesRatio: '1.0'"
    )
    return (
        "engine=pyspark", f"engine.master={master}", "engine.memory_gib=1",
        "engine.worker_memory_gib=0.75", f"+engine.options={{{options}}}",
    )  # fmt: skip


def test_two_spark_workers_give_the_features_of_polars(spark_cluster, features_of, file):
    assert features_of(file, *by_spark(spark_cluster)) == features_of(file)
    for folder in spark_cluster[1]:
        assert list(folder.glob("app-*/*")), "a worker had no executor"


def test_a_ray_cluster_gives_the_features_of_polars(ray_cluster, features_of, file):
    address, reach = ray_cluster
    by_modin = ("engine=modin", f"engine.address={address}")
    assert features_of(file, *by_modin, **reach) == features_of(file)


@pytest.mark.slow
def test_two_spark_workers_give_the_features_of_the_real_file(
    spark_cluster, features_of, online_retail
):
    assert features_of(online_retail, *by_spark(spark_cluster)) == features_of(online_retail)


@pytest.mark.slow
def test_a_ray_cluster_gives_the_features_of_the_real_file(ray_cluster, features_of, online_retail):
    address, reach = ray_cluster
    by_modin = ("engine=modin", f"engine.address={address}")
    assert features_of(online_retail, *by_modin, **reach) == features_of(online_retail)


def test_a_cluster_that_is_not_there_is_one_message(installed, segrun, file, tmp_path):
    installed("pyspark")
    done = segrun(
        "dataset=online_retail", f"dataset.path={file}", *FEW, "engine=pyspark",
        f"engine.master=spark://127.0.0.1:{free_port()}",
        "+engine.options={spark.driver.host: 127.0.0.1, spark.cores.max: '1'}", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1
    assert "does not start" in done.stderr
    assert "Traceback" not in done.stderr
