"""Receivers of webhooks, and what tool servers name, hold nothing longer than the whole may take: a byte at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_network

import httpx2
import pytest

from sessions_app.authorisations import fetching
from sessions_app.authorisations.errors import AuthorisationError
from sessions_app.webhooks import sending
from tests.outbound.dripping import BODY, HANDSHAKE, HEAD, Dripping
from tests.processes import PATIENCE
from tests.thorough import thorough

OTHERS = (("https", HANDSHAKE), ("http", b"H"), ("http", BODY))


@pytest.fixture(params=[("http", HEAD), *map(thorough, OTHERS)], ids=str)
def slow(request: pytest.FixtureRequest) -> Iterator[tuple[str, Dripping]]:
    scheme, first = request.param
    with closing(Dripping(first)) as server:
        yield f"{scheme}://{server.address}/", server


@pytest.fixture(autouse=True)
async def authorities() -> None:
    """Read what certificates are held against before the time counts: it takes half a second, once."""
    async with sending.client([]):
        pass


async def test_a_webhook_is_given_up(slow: tuple[str, Dripping], monkeypatch: pytest.MonkeyPatch) -> None:
    url, server = slow
    monkeypatch.setattr(sending, "SECONDS", 0.5)
    monkeypatch.setattr(sending, "MAX_ANSWER", 100_000)
    async with sending.client([ip_network("127.0.0.0/8")]) as client:
        outcome = await sending.send(client, url, "{}", {})
    assert (outcome.status, outcome.error) == (None, "There was no answer within 0.5 seconds.")
    assert await asyncio.to_thread(server.left.wait, PATIENCE)


async def test_what_a_tool_server_names_is_given_up(
    slow: tuple[str, Dripping], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, server = slow
    monkeypatch.setattr(fetching, "SECONDS", 0.5)
    with pytest.raises(AuthorisationError):
        await fetching.fetch(fetching.Reach(url), httpx2.Request("GET", url))
    assert await asyncio.to_thread(server.left.wait, PATIENCE)
