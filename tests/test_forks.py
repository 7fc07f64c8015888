"""Forks of the tests' own: what they run finds itself as a program that was started from a command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.forks import start
from tests.processes import ROOT, Process, finish

_TELL = """
import json, os, sys
print(json.dumps([__name__, sys.argv, sys.path, dict(os.environ), os.getcwd(), sorted(os.listdir("/proc/self/fd"))]))
print("an error", file=sys.stderr)
sys.exit(3)
"""
_LOADED = """
import json, os, sys
from django.conf import settings
threads, no = os.listdir("/proc/self/task"), {"hermes_site", "sessions_app", "agentcache", "tests"}
no.add("twisted.internet.reactor")  # it makes the event loop
print(json.dumps([len(threads), sorted(no & {*sys.modules}), settings.configured, "pydantic_ai" in sys.modules]))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A program that tells how it finds itself, and ends with 3."""
    (tmp_path / "telling.py").write_text(_TELL)
    return tmp_path / "telling.py"


@pytest.mark.parametrize("how", ["file", "module", "code"])
def test_a_fork_finds_itself_as_a_started_program(script: Path, how: str) -> None:
    what = {"file": [script.name], "module": ["-m", "telling"], "code": ["-c", _TELL]}[how]
    command = [sys.executable, *what, "an argument"]
    env = {**os.environ, "PYTHONPATH": "/one:/two", "OF_ITS_OWN": "1"}
    real = subprocess.run(command, cwd=script.parent, env=env, capture_output=True, text=True, check=False)
    forked = finish(command, env, script.parent)
    assert (forked.returncode, forked.stderr) == (real.returncode, real.stderr) == (3, "an error\n")
    assert told(forked.stdout) == told(real.stdout)


def told(printed: str) -> list[Any]:
    """What the program told, but for the empty name of the folder that it is in."""
    name, arguments, path, *others = json.loads(printed)
    return [name, arguments, [entry or others[1] for entry in path], *others]


def test_a_fork_has_libraries_and_nothing_that_it_would_share() -> None:
    assert json.loads(finish([sys.executable, "-c", _LOADED]).stdout) == [1, [], False, True]


def test_a_killed_fork_tells_the_signal() -> None:
    process = Process([sys.executable, "-c", "print('runs', flush=True); import time; time.sleep(1_000_000)"])
    process.line("runs")
    assert process.running
    assert process.pid not in {os.getpid(), os.getppid()}
    process.kill()
    assert process.wait() == -signal.SIGKILL


def test_to_wait_for_a_fork_that_goes_on_times_out() -> None:
    with open(os.devnull, "r+") as nothing:
        streams = nothing.fileno(), nothing.fileno(), nothing.fileno()
        fork = start([sys.executable, "-c", "import time; time.sleep(1_000_000)"], os.environ, ROOT, streams)
    with pytest.raises(subprocess.TimeoutExpired):
        fork.wait(0.01)
    fork.kill()
    assert fork.wait() == -signal.SIGKILL


def test_what_another_interpreter_needs_is_no_fork() -> None:
    told = finish([sys.executable, "-c", "import sys; print(sys.flags.hash_randomization)"], {"PYTHONHASHSEED": "0"})
    assert told.stdout == "0\n"
