"""The command segrun in a process that has its libraries imported already: a fork per command.

`warm.py serve SOCKET` is handed arguments, folder, environment and standard streams. The real
`main` runs there, in a process of its own, as segrun would; what is saved are the seconds that
imports take. A shell starts `warm.py SOCKET ARGUMENT ...` in place of segrun.
"""

import contextlib
import json
import os
import select
import socket
import sys

#: What a command imports late. None starts a thread on import, which a fork would lose.
LIBRARIES = ("sklearn.cluster", "sklearn.mixture", "sklearn.decomposition", "sklearn.tree",
             "sklearn.naive_bayes", "sklearn.model_selection", "sklearnex.cluster", "numba",
             "matplotlib.pyplot", "pandas", "duckdb", "scipy.stats")  # fmt: skip


def ask(path, arguments, folder, environment, streams, seconds=None):
    """Let the server run the command, and return its exit code: -9 if it was killed."""
    asked = json.dumps([arguments, folder, environment]).encode()
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(seconds)
        server.connect(path)
        socket.send_fds(server, [b"%12d" % len(asked)], streams)
        server.sendall(asked)
        return int(server.makefile().read() or -6)


def serve(path):
    """Answer with a process per command, until the process that started this one ends."""
    # Not for `ask`, which a shell starts once per command.
    import pkgutil
    from importlib import import_module

    import segrun

    names = [module.name for module in pkgutil.walk_packages(segrun.__path__, "segrun.")]
    for name in [*names, *LIBRARIES]:
        # Not an engine whose library is not here; not what runs on import, nor pytest's.
        if name != "segrun.__main__" and not name.startswith("segrun.algorithms.testing"):
            with contextlib.suppress(ImportError):
                import_module(name)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        print("ready", flush=True)  # noqa: T201
        # What started this holds the other end of standard input.
        while sys.stdin not in select.select([server, sys.stdin], [], [])[0]:
            client, _ = server.accept()
            with client:
                _answer(client)


def _answer(client):
    head, streams, _, _ = socket.recv_fds(client, 12, 3)
    asked = json.loads(client.makefile("rb").read(int(head)))
    child = os.fork()
    if child == 0:
        _be_segrun(streams, *asked)
    for stream in streams:
        os.close(stream)
    _, status = os.waitpid(child, 0)
    client.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _be_segrun(streams, arguments, folder, environment):
    from segrun.cli.main import main

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = ["segrun", *arguments]
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - printed as an interpreter that ends would
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        # atexit's, as an interpreter that ends would do, and nothing of the server's own.
        import atexit

        atexit._run_exitfuncs()
        os._exit(code)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        code = ask(sys.argv[1], sys.argv[2:], os.getcwd(), dict(os.environ), [0, 1, 2])  # noqa: PTH109
        sys.exit(code % 256)
