"""Tool servers that lie, flood, hang and crash: a call of theirs ends as an error of its own, and nothing else does."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sessions_app.tool_servers import connection as connections_of_one
from sessions_app.tool_servers import http_transport, stdio_transport
from sessions_app.tool_servers.addresses import ServerAddress
from sessions_app.tool_servers.bounds import MAX_BYTES, MAX_LISTED, MAX_LOGGED
from sessions_app.tool_servers.connection import Connection
from sessions_app.tool_servers.connections import Connections
from sessions_app.tool_servers.errors import ToolServerError, Unauthorized
from sessions_app.tool_servers.listing import offered
from tests.tool_servers.hostile import OBJECT, TOLD, HostileServer

PROCESS = f"{sys.executable} {Path(__file__).parent / 'hostile_stdio.py'}"
PATIENCE = 60.0


async def ignored(progress: float, total: float | None, message: str | None) -> None:
    """Progress that nobody watches."""


@asynccontextmanager
async def connected(url: str = "", command: str = "", timeout: float = PATIENCE) -> AsyncIterator[Connection]:  # noqa: ASYNC109 - of calls
    connection = Connection(ServerAddress("bad", url, command), timeout)
    try:
        yield connection
    finally:
        await connection.close()


async def said(connection: Connection, tool: str) -> str:
    """What a call brings, or the sentence of its error."""
    try:
        result = await connection.call(tool, {}, ignored)
    except ToolServerError as error:
        return str(error)
    return " ".join(block.text for block in result.content if block.type == "text")


@pytest.fixture
async def server() -> HostileServer:
    return HostileServer()


@pytest.mark.parametrize(
    ("tool", "says"),
    [
        ("large", "The tool server bad answered more than is read of one answer."),
        ("flood", "The tool server bad answered more than is read of one answer."),
        ("garbage", "The tool server bad answered what is not MCP."),
        ("deep", "The tool server bad answered what is not MCP."),
        ("wrong", "The tool server bad answered what is not MCP."),
        ("page", "The tool server bad refused the call: Unexpected content type: text/html."),
        ("cut", "The tool server bad broke the connection off."),
        ("zipped", "The tool server bad broke the connection off."),
    ],
)
async def test_an_answer_that_is_none_is_told_in_a_sentence(server: HostileServer, tool: str, says: str) -> None:
    async with server.serve() as url, connected(url) as connection:
        assert await said(connection, tool) == says
    assert server.written < 3 * MAX_BYTES
    async with server.serve() as url, connected(url) as connection:
        assert await said(connection, "echo") == "said"


@pytest.mark.parametrize("tool", ["never", "other id"])
async def test_a_call_without_an_answer_ends_in_time(server: HostileServer, tool: str) -> None:
    async with server.serve() as url, connected(url, timeout=0.2) as connection:
        assert await said(connection, tool) == "The tool server bad did not answer within 0.2 seconds."
        assert await said(connection, "echo") == "said"


async def test_a_call_that_is_stopped_is_cancelled_at_the_server(server: HostileServer) -> None:
    async with server.serve() as url, connected(url) as connection:
        call = asyncio.create_task(said(connection, "never"))
        await asyncio.wait_for(server.reached.wait(), PATIENCE)
        call.cancel()
        await asyncio.wait([call], timeout=PATIENCE)
        assert call.cancelled()
        await asyncio.wait_for(server.cancelled.wait(), PATIENCE)


async def test_a_server_that_takes_no_cancellation_holds_up_no_call(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections_of_one, "CLOSE_SECONDS", 0.2)
    monkeypatch.setattr(http_transport, "CLOSE_SECONDS", 0.6)  # is not what ends the call
    server.is_deaf = True
    async with server.serve() as url, connected(url, timeout=0.2) as connection:
        for tool in ("never", "echo"):
            assert await said(connection, tool) == "The tool server bad did not answer within 0.2 seconds."
        assert connection.is_over


async def test_a_call_of_a_server_that_takes_no_cancellation_is_stopped_at_once(server: HostileServer) -> None:
    server.is_deaf = True
    async with server.serve() as url, connected(url) as connection:
        await said(connection, "echo")
        calls = [asyncio.create_task(said(connection, "never")) for _ in range(2)]
        await asyncio.wait_for(server.reached.wait(), PATIENCE)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        # The second word to the server still waits for the first.
        assert any(not task.done() for task in connection._left)


async def test_a_server_is_not_followed_to_another_address(server: HostileServer) -> None:
    async with server.serve() as url, connected(url) as connection:
        assert "not followed" in await said(connection, "elsewhere")


async def test_what_a_server_says_of_an_error_is_one_short_line(server: HostileServer) -> None:
    async with server.serve() as url, connected(url) as connection:
        told = await said(connection, "wordy")
    assert len(told) < 400
    assert "\n" not in told


async def test_refused_credentials_are_told_with_the_challenge(server: HostileServer) -> None:
    server.challenge = 'Bearer resource_metadata="https://x.example"'
    async with server.serve() as url, connected(url) as connection:
        with pytest.raises(Unauthorized) as refused:
            await connection.opened()
    assert refused.value.challenge == server.challenge
    assert str(refused.value) == "The tool server bad refuses the credentials it was sent (401)."


async def test_a_server_that_is_not_there_is_told(server: HostileServer) -> None:
    async with connected("http://127.0.0.1:1/mcp") as connection:
        assert await said(connection, "echo") == "The tool server bad could not be reached."
    async with connected(command="/no/such/program") as connection:
        assert await said(connection, "echo") == "The tool server bad could not be reached."


async def test_a_server_that_never_opens_is_given_up(server: HostileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections_of_one, "OPEN_SECONDS", 0.2)
    monkeypatch.setattr(stdio_transport, "END_SECONDS", 0.2)
    async with connected(command="sleep 3600") as connection:
        assert await said(connection, "echo") == "The tool server bad did not answer within 0.2 seconds."


@pytest.mark.parametrize(
    ("tool", "says"),
    [
        ("large", "The tool server bad answered more than is read of one answer."),
        ("flood", "The tool server bad answered more than is read of one answer."),
        ("answers", "The tool server bad answered more than is read of one answer."),
        ("crash", "The tool server bad ended in the middle of the call."),
        ("garbage", "said"),
    ],
)
async def test_a_process_that_misbehaves_is_told_in_a_sentence(tool: str, says: str) -> None:
    async with connected(command=PROCESS) as connection:
        assert await said(connection, tool) == says
        assert connection.is_over == (tool != "garbage")


async def test_a_process_without_an_answer_ends_in_time() -> None:
    async with connected(command=PROCESS, timeout=0.2) as connection:
        assert await said(connection, "other id") == "The tool server bad did not answer within 0.2 seconds."
        assert await said(connection, "echo") == "said"


async def test_of_what_a_process_writes_of_itself_the_beginning_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with connected(command=PROCESS) as connection:
        assert await said(connection, "complains") == "said"
    told = [record.getMessage().partition(" says: ")[2] for record in caplog.records]
    assert [line for line in told if line][:2] == ["\\x1b[2J", "ERROR the site is broken"]
    assert sum(map(len, told)) < 2 * MAX_LOGGED  # with what is escaped


async def test_a_process_that_stays_is_killed_with_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdio_transport, "END_SECONDS", 0.2)
    async with connected(command=f"{PROCESS} --stays") as connection:
        pids = [int(pid) for pid in (await said(connection, "child")).split()]
    for pid in pids:
        # A child that was killed is nobody's but init's, who may not have asked for it yet.
        assert not await asyncio.to_thread(is_running, pid)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


async def test_what_may_have_run_is_not_told_to_have_not(server: HostileServer) -> None:
    """Two calls on one connection, the second of which finds nobody: the first was under way."""
    async with server.serve() as url, connected(url) as connection:
        connection.users = 2  # as `Connections` counts
        first = asyncio.create_task(connection.call("never", {}, ignored))
        await asyncio.wait_for(server.reached.wait(), PATIENCE)
        server.stop_listening()
        with pytest.raises(ToolServerError) as second:
            await connection.call("echo", {}, ignored)
        with pytest.raises(ToolServerError) as other:
            await first
    assert (second.value.begun, other.value.begun) == (True, True)


async def test_a_call_that_nobody_took_is_told_not_to_have_begun(server: HostileServer) -> None:
    async with server.serve() as url, connected(url) as connection:
        assert await said(connection, "echo") == "said"
        connection.users, server.session = 1, "another"
        with pytest.raises(ToolServerError, match="has forgotten the session") as refused:
            await connection.call("echo", {}, ignored)
    assert not refused.value.begun
    assert connection.is_over


@pytest.mark.parametrize("method", ["server/discover", "notifications/initialized", "notifications/cancelled"])
async def test_another_request_that_is_refused_says_nothing_of_a_call(server: HostileServer, method: str) -> None:
    """What failed of itself has run: to take it for refused would make it again."""
    server.forbidden = {method}
    async with server.serve() as url, connected(url) as connection:
        stopped = asyncio.create_task(said(connection, "never"))
        await asyncio.wait_for(server.reached.wait(), PATIENCE)
        stopped.cancel()
        await asyncio.wait([stopped, *connection._left])
        with pytest.raises(ToolServerError, match="refused the call: a b") as failed:
            await connection.call("wordy", {}, ignored)
    assert failed.value.begun


async def test_an_answer_that_leads_nowhere_says_not_that_nothing_has_run(server: HostileServer) -> None:
    async with server.serve() as url, connected(url) as connection:
        with pytest.raises(ToolServerError) as failed:
            await connection.call("astray", {}, ignored)
    assert failed.value.begun


async def test_no_stream_is_opened_that_no_call_has_asked_for(server: HostileServer) -> None:
    server.stream = b"retry: 0\n\n"
    async with server.serve() as url, connected(url) as connection:
        for _ in range(10):
            assert await said(connection, "echo") == "said"
    assert server.opened == 0


async def test_the_rest_of_an_answer_is_not_asked_for_in_a_rush(server: HostileServer) -> None:
    server.stream = b"id: 1\nretry: 0\ndata:\n\n"
    async with server.serve() as url, connected(url, timeout=0.5) as connection:
        assert await said(connection, "resumes") == "The tool server bad did not answer within 0.5 seconds."
    assert len(server.resumed) <= 2


async def test_an_answer_that_comes_later_is_fetched(server: HostileServer) -> None:
    server.stream = b"data: " + json.dumps({"jsonrpc": "2.0", "id": 1, "result": TOLD}).encode() + b"\n\n"
    async with server.serve() as url, connected(url) as connection:
        assert await said(connection, "resumes") == "said"


async def test_what_comes_later_is_bounded_all_in_all(server: HostileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_transport, "RESUME_SECONDS", 0.0)
    told = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x" * 1_000_000}}
    server.stream = b"id: 1\nretry: 0\ndata: " + json.dumps(told).encode() + b"\n\n"
    async with server.serve() as url, connected(url) as connection:
        assert await said(connection, "resumes") == "The tool server bad answered more than is read of one answer."
        assert connection.is_over
    assert len(server.resumed) <= MAX_BYTES // 1_000_000 + 1


async def test_a_list_without_end_is_refused(server: HostileServer) -> None:
    server.tools = [{"name": f"tool{number}", "inputSchema": OBJECT} for number in range(5_000)]
    for server.page in (10_000, 100):
        async with server.serve() as url, connected(url) as connection:
            with pytest.raises(ToolServerError, match=f"lists more than {MAX_LISTED:,} tools"):
                await connection.listed()
    server.tools, server.page = server.tools[:500], 1
    async with server.serve() as url, connected(url) as connection:
        with pytest.raises(ToolServerError, match="in more than 100 pages"):
            await connection.listed()


async def test_schemas_that_no_provider_takes_are_named(server: HostileServer) -> None:
    deep: dict[str, object] = {}
    for _ in range(30):
        deep = {"type": "object", "properties": {"x": deep}}
    schemas = {
        "deep": deep,
        "true": {"type": "object", "properties": {"x": 1}},
        "good": {"type": "object", "properties": {"x": {"type": "string"}}},
        "x" * 300: OBJECT,
        "\0": OBJECT,
    }
    server.tools = [{"name": name, "inputSchema": schema} for name, schema in schemas.items()]
    async with server.serve() as url, connected(url) as connection:
        tools = await asyncio.to_thread(offered, await connection.listed())
    found = {tool.name: tool for tool in tools}
    assert [name for name, tool in found.items() if not tool.problem] == ["good"]
    assert len(found) == len(schemas)
    assert found["good"].parameters == '{"properties":{"x":{"type":"string"}},"type":"object"}'


async def test_a_list_with_what_is_no_tool_is_refused(server: HostileServer) -> None:
    server.tools = [{"name": "list", "inputSchema": {"type": "array"}}]
    async with server.serve() as url, connected(url) as connection:
        with pytest.raises(ToolServerError, match="answered what is not MCP"):
            await connection.listed()


async def test_tools_of_one_name_are_one_in_whatever_order(server: HostileServer) -> None:
    twins = [{"name": "twin", "description": word, "inputSchema": OBJECT} for word in "ba"]
    lists = []
    for server.tools in (twins, twins[::-1]):
        async with server.serve() as url, connected(url) as connection:
            lists.append(await asyncio.to_thread(offered, await connection.listed()))
    assert lists[0] == lists[1]
    assert [tool.description for tool in lists[0]] == ["a"]


async def test_a_connection_is_kept_for_a_user_and_made_anew_when_it_is_over(server: HostileServer) -> None:
    connections = Connections(PATIENCE)
    async with server.serve() as url:
        address = ServerAddress("bad", url)
        used = []
        for user_id, tool in ((1, "echo"), (1, "echo"), (2, "echo"), (1, "cut"), (1, "echo")):
            async with connections.use(user_id, address) as connection:
                used.append(connection)
                await said(connection, tool)
        await connections.close()
    assert used[0] is used[1] is used[3]
    assert len({id(connection) for connection in used}) == 3
