"""Debian's nginx with the configuration that is shipped, in front of real sites, and who comes through it."""

from __future__ import annotations

import copy
import http.client
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from string import digits
from typing import Any

from tests.live import LiveSite
from tests.peers import Browser
from tests.processes import PATIENCE, ROOT, Process
from tests.services import program

# What the packaged nginx would write below /var/lib/nginx, where only root may.
_SPOOLS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def changed(file: str, changes: dict[str, str]) -> str:
    """A file of deploy/ with some of its words replaced; each is there."""
    text = (ROOT / "deploy" / file).read_text()
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in {file}"
        text = text.replace(old, new)
    return text


def lay_out(folder: Path, processes: tuple[int, int], door: str, ports: dict[str, int]) -> Path:
    """nginx's configuration as it is installed: only places, addresses and ports are others. Returns nginx.conf."""
    (folder / "hermes").mkdir()
    spools = "".join(f" {spool}_temp_path {folder / spool};" for spool in _SPOOLS)
    places = {"/var/log/nginx/": f"{folder}/", "http {": f"http {{{spools}"}
    (folder / "nginx.conf").write_text(changed("nginx.conf", places))
    addresses = {f"172.30.84.1{n}:8000": f"127.0.0.1:{port}" for n, port in enumerate(processes, 1)}
    (folder / "hermes/processes.conf").write_text(changed("nginx/processes.conf", addresses))
    (folder / "hermes/locations.conf").write_text(changed("nginx/locations.conf", {"/var/log/nginx/": f"{folder}/"}))
    listens = {f"listen {old};": f"listen 127.0.0.1:{new}{old.lstrip(digits)};" for old, new in ports.items()}
    (folder / "hermes/door.conf").write_text(changed(f"nginx/{door}.conf", listens))
    return folder / "nginx.conf"


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, where https.conf looks for it."""
    folder.mkdir()
    certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=hermes", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [program("openssl"), "req", "-x509", *kind, *names, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate


@contextmanager
def nginx(configuration: Path) -> Iterator[Process]:
    """A running nginx; it ends with the block."""
    told = f"daemon off; error_log stderr notice; pid {configuration.parent / 'pid'};"
    # Its workers would be nobody, who may not enter the folders of root's tests.
    user = " user root;" if os.geteuid() == 0 else ""
    command = [program("nginx"), "-p", str(configuration.parent), "-c", str(configuration), "-g", told + user]
    process = Process(command)
    process.line("start worker processes")
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def front(folder: Path, sites: list[LiveSite], door: str, ports: dict[str, int]) -> Iterator[LiveSite]:
    """nginx with a door (`http`, `https`), in front of two sites: they as one, as its clients see them.

    ports: those to listen at, by what the file calls them; the last of them is the site's.
    """
    configuration = lay_out(folder, (sites[0].port, sites[1].port), door, ports)
    seen = copy.copy(sites[0])
    seen.port = list(ports.values())[-1]
    seen.base_url = f"{door}://127.0.0.1:{seen.port}"
    seen.ws_url = seen.base_url.replace("http", "ws", 1) + "/ws/chat/"
    with nginx(configuration):
        yield seen


class Visitor(Browser):
    """A browser that says where its forms come from, as they do; `host` is the address it comes from."""

    def __init__(self, site: LiveSite, host: str = "127.0.0.1", **headers: str) -> None:
        super().__init__(site)
        self._opener.add_handler(_From(host))
        self._opener.addheaders = [("Origin", site.base_url), *headers.items()]

    def get(self, path: str) -> http.client.HTTPResponse:
        """The answer to a page or file that is there."""
        answer: http.client.HTTPResponse = self._opener.open(f"{self.site.base_url}{path}", timeout=PATIENCE)
        assert answer.status == 200
        return answer


class _From(urllib.request.HTTPHandler):
    handler_order = 400  # before urllib's own

    def __init__(self, host: str) -> None:
        super().__init__()
        self._connection: Any = partial(http.client.HTTPConnection, source_address=(host, 0))

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, request)
