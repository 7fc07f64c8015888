"""A process that has loaded the libraries, and forks the Python programs that tests start. `tests.forks` asks it.

Else each of them loads Django, Pydantic AI and the SDKs of providers, for one to three seconds. Of ours nothing is
loaded: a program reads its own environment and its own settings, as it does from a command line.

`python -m tests.fork_server SOCKET` accepts connections of a listening socket until its standard input ends. Each
stands for a program: it brings what to run with its three standard streams, and is told the number of the process, and
then its exit code.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import json
import os
import runpy
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

# All that neither asks for settings nor starts what a fork would break: a thread, an event loop.
LIBRARIES = (
    *("django.contrib.admin.options", "django.contrib.auth.hashers", "django.contrib.auth.password_validation"),
    *("django.contrib.postgres.indexes", "django.contrib.staticfiles.storage", "django.core.handlers.asgi"),
    *("django.core.cache.backends.redis", "django.core.mail.backends.smtp", "django.core.management.commands.shell"),
    *("django.core.management.commands.migrate", "django.db.backends.postgresql.base", "django.db.migrations.executor"),
    *("django.db.backends.sqlite3.base", "django.db.models.functions", "django.template.loader_tags"),
    *("django.views.debug", "django.views.generic", "channels.generic.websocket", "channels_redis.core"),
    *("csp.middleware", "environ", "psycopg_pool", "redis.asyncio", "storages.base", "whitenoise.storage"),
    *("autobahn.wamp.message", "autobahn.websocket.protocol", "twisted.internet.asyncioreactor"),
    *("twisted.application.service", "twisted.internet.endpoints", "twisted.web.http"),
    *("ag_ui.core", "ag_ui.encoder", "mcp", "pydantic_ai.models.anthropic", "pydantic_ai.models.openai"),
    *("pydantic_ai.providers.anthropic", "pydantic_ai.providers.openai"),
    *("confusable_homoglyphs.confusables", "cryptography.fernet", "latex2mathml.converter", "markdown_it"),
    *("mdit_py_plugins.footnote", "nh3", "prometheus_client", "pygments.formatters.html", "pygments.lexers"),
    *("PIL.ImageCms", "PIL.ImageOps", "charset_normalizer", "pillow_heif", "puremagic", "pypdfium2", "ua_parser"),
)
MESSAGE_BYTES = 150_000
STREAMS = 3


def load() -> None:
    """Load the libraries; what is loaded stays, so no program looks for garbage among it."""
    gc.disable()
    for name in LIBRARIES:
        importlib.import_module(name)
    # Pydantic asks which module a text is of: then the paths of all modules are found out, once in a process.
    inspect.getmodule(load.__code__)
    gc.collect()
    gc.freeze()


def serve(listener: socket.socket) -> list[str]:
    """Fork until the standard input ends; returns in a fork, with its command."""
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        ready, _, _ = select.select([sys.stdin, listener, *running], [], [])
        for ended in running.keys() & ready:
            report(ended, *running.pop(ended))
        if listener in ready:
            asker, _ = listener.accept()
            message, streams, _, _ = socket.recv_fds(asker, MESSAGE_BYTES, STREAMS)
            pid = os.fork()
            if pid == 0:
                return become(streams, **json.loads(message))
            running[os.pidfd_open(pid)] = pid, asker
            asker.send(str(pid).encode())
            for stream in streams:
                os.close(stream)
        if sys.stdin in ready:
            os._exit(0)  # an ordinary end would first take apart what is loaded


def report(ended: int, pid: int, asker: socket.socket) -> None:
    """Tell who asked for a program how it ended; who asked may have ended first."""
    os.close(ended)
    _, status = os.waitpid(pid, 0)
    with asker, suppress(BrokenPipeError):
        asker.send(str(os.waitstatus_to_exitcode(status)).encode())


def become(streams: list[int], command: list[str], environment: dict[str, str], folder: str) -> list[str]:
    """Take over the streams, the environment and the folder of a program. Returns its command."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(STREAMS, os.sysconf("SC_OPEN_MAX"))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    return command


def run(command: list[str]) -> None:
    """Run what stands behind `python` in a command: a file, `-m` and a module, or `-c` and code; and arguments."""
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    gc.enable()
    first, *others = command
    folder = os.getcwd() if first in {"-m", "-c"} else str(Path(first).resolve().parent)
    sys.path[:1] = [folder, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv = [first, *others[1:]] if first in {"-m", "-c"} else command
    if first == "-m":
        runpy.run_module(others[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(others[0], "<string>", "exec"), vars(main))
    else:
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when who started it does
    load()
    run(serve(socket.socket(fileno=int(sys.argv[1]))))
