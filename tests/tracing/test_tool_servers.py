"""A turn's trace goes on in tool servers of the operator's own, and no other server is told of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sessions_app import tracing
from sessions_app.tool_servers import inside
from sessions_app.tool_servers.addresses import ServerAddress
from sessions_app.tool_servers.connection import Connection
from tests.tool_servers.hostile import HostileServer
from tests.tracing.collector import Collector
from tests.tracing.test_traces import collector, flushed

__all__ = ["collector"]

PUBLIC, PRIVATE = "9.9.9.9", "10.0.0.7"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[tuple[HostileServer, str]]:
    server = HostileServer()
    async with server.serve() as url:
        yield server, url


async def call(url: str) -> None:
    """Open a connection, list and call, all within a span."""
    with tracing.span("execute_tool echo", {}):
        connection = Connection(ServerAddress("there", url), 10.0)
        await connection.listed()
        await connection.call("echo", {}, _unheard)
    await connection.close()


async def _unheard(progress: float, total: float | None, message: str | None) -> None:
    pass


async def test_a_server_inside_is_told_of_the_calls_trace(
    server: tuple[HostileServer, str], collector: Collector
) -> None:
    there, url = server
    await call(url)
    [span] = (await flushed(collector)).spans
    assert there.traces == [f"00-{span.trace_id.hex()}-{span.span_id.hex()}-03"]


async def test_a_strangers_server_is_told_of_none(
    server: tuple[HostileServer, str], collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, url = server

    async def look_up(host: str, port: int) -> list[str]:
        return [PRIVATE, PUBLIC]

    monkeypatch.setattr(inside, "look_up", look_up)
    await call(url)
    assert [span.name for span in (await flushed(collector)).spans] == ["execute_tool echo"]
    assert (there.calls, there.traces) == (["echo"], [])


async def test_nobody_is_told_where_nothing_is_traced(server: tuple[HostileServer, str]) -> None:
    there, url = server
    await call(url)
    assert (there.calls, there.traces) == (["echo"], [])
