"""An answer without end costs its bound, and one large delta cuts off no client that reads.

Thorough: the suite asks the bound of a stream in tests/llm/test_streams.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live import LiveSite
from tests.peers import peer, token
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

pytestmark = pytest.mark.thorough

LONGEST = 1_000_000
# MB; an answer of a million characters is held a few times on its way.
ALLOWED = 150


def memory(site: LiveSite) -> float:
    """MB that the site's process has held at the most so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{site.process.pid}/status").read_text())
    assert found is not None
    return int(found.group(1)) / 1024


def one_delta(text: str) -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n".encode()


def test_one_delta_of_megabytes_reaches_a_client_that_reads(
    start_site: Callable[..., LiveSite], provider: Provider
) -> None:
    site = start_site(HERMES_MODEL="openai-chat:loopback")
    provider.script(Answer(raw=[one_delta("large " * 500_000)]))
    with peer(site, **token(site)) as client:
        session_id = client.call("session.create")["result"]["session"]["id"]
        client.call("session.open", session_id=session_id)
        client.call("turn.start", session_id=session_id, text="one large delta")
        told = client.until(lambda frame: frame["params"]["event"].get("value", {}).get("role") == "assistant")
        answer = told["params"]["event"]["value"]
        assert (len(answer["text"]), answer["finish"], answer["status"]) == (LONGEST, "length", "complete")
        client.until(lambda frame: frame["params"]["event"]["type"] == "RUN_FINISHED")
        assert client.call("session.open", session_id=session_id)["result"]["messages"][1]["text"] == answer["text"]
    assert site.stop() == 0
    assert site.errors() == []


def test_an_answer_without_end_costs_its_bound_and_its_request_is_closed(
    start_site: Callable[..., LiveSite], provider: Provider
) -> None:
    site = start_site(HERMES_MODEL="openai-chat:loopback")
    before = memory(site)
    gate = Gate()
    provider.script(Answer(["word " * 20_000] * 10_000, gates={0: gate}), Answer(["Fine."]))
    with peer(site, **token(site)) as client, peer(site, **token(site, "outsider")) as other:
        sessions = [one.call("session.create")["result"]["session"]["id"] for one in (client, other)]
        other.call("session.open", session_id=sessions[1])
        client.call("turn.start", session_id=sessions[0], text="without end")
        gate.stood(PATIENCE)
        gate.open()
        other.call("turn.start", session_id=sessions[1], text="beside it")
        other.until(lambda frame: frame["params"]["event"]["type"] == "RUN_FINISHED")
        client.until(lambda frame: frame["params"]["event"].get("value", {}).get("finish") == "length")
    assert not provider.requests[0].answered.result(60)
    assert memory(site) - before < ALLOWED
    assert site.stop() == 0
