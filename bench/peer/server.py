"""The peer as a running process."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx2

from bench.provider import MODEL
from bench.timing import cpu_of
from tests.processes import PATIENCE, ROOT, Process
from tests.services import free_port

PROGRAM = ROOT / ".venv" / "peer" / "bin" / "chainlit"
"""`make bench-peer` installs it."""


class PeerSite:
    """A running Chainlit that asks the provider at `provider_url`; its files are in `folder`."""

    def __init__(self, folder: Path, provider_url: str) -> None:
        port, database = free_port(), folder / "peer.sqlite3"
        with closing(sqlite3.connect(database)) as connection:
            connection.executescript(Path(__file__).with_name("schema.sql").read_text())
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CHAINLIT_APP_ROOT": str(folder),
            "OPENAI_BASE_URL": provider_url,
            "OPENAI_API_KEY": "loopback",
            "PEER_MODEL": MODEL,
            "PEER_DATABASE": str(database),
            "CHAINLIT_AUTH_SECRET": "bench-only",
        }
        command = [str(PROGRAM), "run", str(Path(__file__).with_name("app.py")), "--headless", "--port", str(port)]
        self.url = f"http://127.0.0.1:{port}/"
        self.process = Process(command, env)
        self.process.line("available at")
        if httpx2.get(self.url, timeout=PATIENCE).status_code != 200:
            raise RuntimeError(f"{self.url} is not well")

    def cookie(self, name: str) -> str:
        """Log a user in; returns the header's value."""
        answer = httpx2.post(f"{self.url}auth/header", headers={"x-user": name}, timeout=PATIENCE)
        answer.raise_for_status()
        return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())

    @property
    def cpu(self) -> float:
        """Seconds of CPU that all threads of the process have used."""
        return cpu_of(self.process.pid)
