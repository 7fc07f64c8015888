"""The shipped nginx configuration without a site behind it."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from inspect import signature
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from daphne.server import Server

from tests.deploy.front import lay_out, nginx
from tests.processes import PATIENCE, ROOT, Process
from tests.services import free_port


def test_a_file_that_one_process_has_not_yet_comes_from_the_other(tmp_path: Path) -> None:
    (tmp_path / "new/static").mkdir(parents=True)
    (tmp_path / "new/static/page.js").write_text("new")
    (tmp_path / "old").mkdir()
    ports = {version: free_port() for version in ("new", "old")}
    door = free_port()
    with ExitStack() as stack:
        for version, port in ports.items():
            command = [sys.executable, "-um", "http.server", str(port), "--directory", str(tmp_path / version)]
            files = Process(command)
            stack.callback(files.stop)
            files.line("Serving HTTP")
        stack.enter_context(nginx(lay_out(tmp_path, (ports["new"], ports["old"]), "http", {"80": door})))
        for _ in range(20):
            with urlopen(f"http://127.0.0.1:{door}/static/page.js", timeout=PATIENCE) as answer:
                assert answer.read() == b"new"


def test_no_ticket_is_written_to_nginxs_logs(tmp_path: Path) -> None:
    door, *nobody = free_port(), free_port(), free_port()
    with nginx(lay_out(tmp_path, (nobody[0], nobody[1]), "http", {"80": door})):
        for path in ("/ws/chat/?ticket=secret", "/healthz"):
            with pytest.raises(HTTPError) as refused:
                urlopen(f"http://127.0.0.1:{door}{path}", timeout=PATIENCE)
            refused.value.close()
            assert refused.value.code == 502
    logs = {file.name: file.read_text() for file in tmp_path.glob("*.log")}
    assert '"GET /ws/chat/ HTTP/1.1" 502' in logs["access.log"]
    assert "GET /healthz" in logs["error.log"]
    assert "secret" not in str(logs)


def test_a_silent_stream_is_pinged_well_within_its_time_out() -> None:
    seconds = re.search(r"proxy_read_timeout (\d+)s;", (ROOT / "deploy/nginx.conf").read_text())
    assert seconds is not None
    assert int(seconds[1]) > 3 * signature(Server).parameters["ping_interval"].default
