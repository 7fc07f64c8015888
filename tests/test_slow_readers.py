"""What clients that stop reading cost a real site.

Thorough: the suite asks of one that does not read in tests/test_server.py.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.live import LiveSite
from tests.peers import peer, token
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.test_live import answer, request
from tests.test_metrics import let_owner_read_metrics, scrape

pytestmark = pytest.mark.thorough

# MB: each client is told 5, which would be 1,000 together of two hundred.
ALLOWED = 300
# Characters of the longest answer, and turns: more than may wait for one client.
LONGEST, TURNS = 200_000, 12
STREAM = ["word" * 2_000] * (LONGEST // 8_000)


def most_memory(site: LiveSite) -> float:
    """MB that the site's process has held at the most so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{site.process.pid}/status").read_text())
    assert found is not None
    return int(found.group(1)) / 1024


def client_of(site: LiveSite) -> ClientConnection:
    """A client for which its library reads no frame ahead, and answers no ping."""
    return connect(
        site.ws_url,
        additional_headers=token(site),
        compression=None,
        ping_interval=None,
        max_size=None,
        max_queue=1,
        close_timeout=1,
        proxy=None,
    )


def await_cut_off(site: LiveSite, count: int) -> None:
    """Return once the site has closed so many clients, as far as it can while they do not read."""
    deadline = time.monotonic() + PATIENCE
    while scrape(site)["hermes_connections_cut_off_total"] < count:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def tells_messages(count: int, frame: dict[str, Any]) -> bool:
    """Whether a frame tells that a session holds so many messages."""
    return bool(frame["params"]["event"]["value"].get("message_count") == count)


def close_code(client: ClientConnection) -> int | None:
    """Reads what is left, up to the end of the connection."""
    with suppress(ConnectionClosed):
        while True:
            client.recv(timeout=PATIENCE)
    return client.close_code


def test_clients_that_stop_reading_are_cut_off_before_they_cost_memory(
    start_site: Callable[..., LiveSite], provider: Provider
) -> None:
    count = 200
    site = start_site(
        HERMES_MODEL="openai-chat:loopback",
        HERMES_MAX_ANSWER=str(LONGEST),
        HERMES_CONNECTIONS_PER_USER=str(count + 1),
    )
    let_owner_read_metrics(site)
    provider.script(*[Answer(STREAM) for _ in range(TURNS)])
    with peer(site, **token(site)) as other, ExitStack() as stack:
        session_id = other.call("session.create")["result"]["session"]["id"]
        clients = [stack.enter_context(client_of(site)) for _ in range(count)]
        for client in clients:
            client.send(request("session.open", session_id=session_id))
            answer(client)
        before = most_memory(site)
        for turn in range(1, TURNS + 1):
            other.call("turn.start", session_id=session_id, text="a stream")
            # Not opened here: this connection is told of what is stored, and nothing of it as it is written.
            other.until(partial(tells_messages, 2 * turn))
        await_cut_off(site, count)
        with ThreadPoolExecutor(count) as readers:
            assert list(readers.map(close_code, clients)) == [4008] * count
        assert most_memory(site) - before < ALLOWED
    assert site.stop() == 0
    assert site.errors() == []
