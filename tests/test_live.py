"""The whole site in a process of its own: what only server, consumer and runner together can show."""

import json
import signal
from contextlib import suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.live import LiveSite
from tests.processes import PATIENCE


def client_of(site: LiveSite, user: str = "owner") -> ClientConnection:
    headers = {"Authorization": f"Bearer {site.tokens[user]}"}
    return connect(site.ws_url, additional_headers=headers, max_size=None, max_queue=1, close_timeout=1, proxy=None)


def request(method: str, number: int = 1, **params: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def answer(client: ClientConnection, number: int = 1) -> dict[str, Any]:
    """The result of a request; what else arrives before it is passed over."""
    while True:
        frame = json.loads(client.recv(timeout=PATIENCE))
        if frame.get("id") == number:
            result: dict[str, Any] = frame["result"]
            return result


def test_who_reads_too_slowly_is_cut_off_with_4008(live_server_process: LiveSite) -> None:
    with client_of(live_server_process) as client:
        with suppress(ConnectionClosed):
            for number in range(500):
                client.send(request("markdown.render", number, texts=["word " * 10_000]))
        with suppress(ConnectionClosed):
            while True:
                client.recv(timeout=PATIENCE)
        assert client.close_code == 4008
    with client_of(live_server_process) as client:
        client.send(request("session.list"))
        assert answer(client)["sessions"] == []


def test_a_stopping_site_lets_the_running_turn_end(live_server_process: LiveSite) -> None:
    site = live_server_process
    site.restart(HERMES_DRAIN_GRACE="30")
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
