"""A PostgreSQL server of the tests' own, and empty databases."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa


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
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"PostgreSQL did not start: {log.read_text()}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url = request.getfixturevalue("postgres")
    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


@pytest.fixture
def query():
    """Rows that a statement gives: query(url, "SELECT ...")."""

    def asked(url, statement):
        engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        try:
            with engine.begin() as connection:
                found = connection.execute(sa.text(statement))
                return [tuple(row) for row in found] if found.returns_rows else []
        finally:
            engine.dispose()

    return asked
