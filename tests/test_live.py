"""The whole site in a process of its own: what only server, consumer and runner together can show."""

import json
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.live import LiveSite
from tests.processes import PATIENCE

# What another program writes, and the numbers that it finds in what was said.
SAY = "from sessions_app.models import ChatSession as C, Message as M; C.objects.update(title='written by shell')"
SAID = "print(*[text.split()[-1] for text in M.objects.filter(role='user').values_list('text', flat=True)])"


def client_of(site: LiveSite, user: str = "owner") -> ClientConnection:
    headers = {"Authorization": f"Bearer {site.tokens[user]}"}
    return connect(
        site.ws_url,
        additional_headers=headers,
        compression=None,  # what is repeated would shrink to nothing
        max_size=None,
        max_queue=1,
        close_timeout=1,
        proxy=None,
    )


def request(method: str, number: int = 1, **params: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def answer(client: ClientConnection, number: int = 1) -> dict[str, Any]:
    """The result of a request; what else arrives before it is passed over."""
    while True:
        frame = json.loads(client.recv(timeout=PATIENCE))
        if frame.get("id") == number:
            result: dict[str, Any] = frame["result"]
            return result


@pytest.mark.thorough  # ten seconds; of fewer asks tests/api/test_outbox.py
def test_who_reads_too_slowly_is_cut_off_with_4008(lasting_site: LiveSite, newcomer: str) -> None:
    with client_of(lasting_site, newcomer) as client:
        with suppress(ConnectionClosed):
            for number in range(500):
                client.send(request("markdown.render", number, texts=["word " * 10_000]))
        with suppress(ConnectionClosed):
            while True:
                client.recv(timeout=PATIENCE)
        assert client.close_code == 4008
    with client_of(lasting_site, newcomer) as client:
        client.send(request("session.list"))
        assert answer(client)["sessions"] == []


def test_a_stopping_site_lets_the_running_turn_end(start_site: Callable[..., LiveSite]) -> None:
    site = start_site(HERMES_DRAIN_GRACE="30")
    with client_of(site) as client:
        client.send(request("session.create"))
        session_id = answer(client)["session"]["id"]
        client.send(request("session.open", session_id=session_id))
        client.send(request("turn.start", session_id=session_id, text="Hello"))
        events = []
        with suppress(ConnectionClosed):
            for text in client:
                event = json.loads(text).get("params", {}).get("event", {})
                events.append(event.get("type"))
                if event.get("type") == "TEXT_MESSAGE_START":
                    site.process.signal(signal.SIGTERM)
        assert client.close_code == 4012
        assert "RUN_FINISHED" in events
    assert site.process.wait() == 0
    assert site.errors() == []


def test_programs_that_open_and_close_the_database_beside_it(
    lasting_site: LiveSite, newcomer: str, tmp_path: Path
) -> None:
    """SQLite drops a process's locks where another of its files is closed; and each sees what the other wrote."""
    site = lasting_site
    file = site.database.url.removeprefix("sqlite:///")
    with client_of(site, newcomer) as client:
        client.send(request("session.create"))
        session_id = answer(client)["session"]["id"]
        for number in range(2):
            client.send(request("turn.start", number + 2, session_id=session_id, text=f"Say {newcomer}-{number}"))
            answer(client, number + 2)
            told = site.manage("shell", "-c", f"{SAY}; {SAID}")
            assert f"{newcomer}-{number}" in told.split()
            copy = tmp_path / f"{number}.sqlite3"
            with (
                closing(sqlite3.connect(file)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
            assert site.database.run("PRAGMA integrity_check") == [("ok",)]
        client.send(request("session.list", 9))
        assert answer(client, 9)["sessions"][0]["title"] == "written by shell"
