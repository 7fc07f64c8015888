"""One connection to a tool server: opened, kept by a task of its own, and what goes wrong on it, in sentences.

The client of MCP must be entered and left in the same task; calls come from any. Importing it takes most of a second,
so whoever opens a connection imports this module then (``connections``).
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any

import anyio
import httpx2
import mcp_types
from mcp import Client, MCPError
from mcp.shared.dispatcher import ProgressFnT
from mcp_types import CallToolRequest, CallToolRequestParams, CallToolResult, InputRequiredResult, Tool
from pydantic import TypeAdapter, ValidationError

from sessions_app import tracing
from sessions_app.outbound.authorities import site_authorities
from sessions_app.tool_servers import inside
from sessions_app.tool_servers.addresses import ServerAddress
from sessions_app.tool_servers.bounds import CLOSE_SECONDS, MAX_LISTED, MAX_PAGES, OPEN_SECONDS
from sessions_app.tool_servers.errors import ToolServerError, Unauthorized
from sessions_app.tool_servers.http_transport import TOO_LARGE, Refusals, client_of, http_transport
from sessions_app.tool_servers.output import Output
from sessions_app.tool_servers.stdio_transport import stdio_transport

logger = logging.getLogger(__name__)

_ANSWER: TypeAdapter[CallToolResult | InputRequiredResult] = TypeAdapter(CallToolResult | InputRequiredResult)
_INFO = mcp_types.Implementation(name="hermes-site", version="1")
_CLOSED = "Connection closed"
"""What it says where the connection has ended under a call."""
_TERMINATED = "Session terminated"
"""What the client says of a 404 to a session that it had: the server has begun anew, and run nothing."""


class Connection:
    """To one address. ``users`` counts the calls under way, ``used_at`` is the loop's time at the end of the last.

    ``timeout`` (seconds) bounds one call. Belongs to one event loop; ``close`` it.
    """

    def __init__(self, address: ServerAddress, timeout: float) -> None:
        self.users = 0
        self.used_at = 0.0
        self._address = address
        self._timeout = timeout
        self._refusals = Refusals()
        self._output = Output()
        self._is_spent = False
        self._is_told_of_traces = False
        self._left: set[asyncio.Task[CallToolResult]] = set()
        self._closing = asyncio.Event()
        self._opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        # Not a part of the turn that happens to be the first to need it.
        with tracing.apart():
            self._keeper = asyncio.create_task(self._keep())
        self._cause: ToolServerError | None = None

    @property
    def is_over(self) -> bool:
        """Whether no call can go over it any more."""
        return self._keeper.done() or self._output.ended.is_set() or self._is_spent

    async def opened(self) -> Client:
        """Wait until it is open, and return its client. Raises ToolServerError."""
        client = await asyncio.shield(self._opened)
        if self.is_over:
            raise self._error("has ended", begun=False)
        return client

    async def close(self) -> None:
        """Take leave, and end the process where there is one."""
        self._closing.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._keeper), 2 * CLOSE_SECONDS)
        self._keeper.cancel()
        await asyncio.wait([self._keeper, *self._left])

    async def call(self, name: str, arguments: Mapping[str, Any], on_progress: ProgressFnT) -> CallToolResult:
        """Call a tool by the server's name for it. Raises ToolServerError; a result may be an error of the tool's.

        Whoever is cancelled is so at once: that the server is told takes seconds where it does not listen.
        """
        calling = asyncio.create_task(self._call(name, arguments, on_progress))
        try:
            return await asyncio.shield(calling)
        except asyncio.CancelledError:
            calling.cancel()
            self._left.add(calling)
            calling.add_done_callback(self._left.discard)
            raise

    async def _call(self, name: str, arguments: Mapping[str, Any], on_progress: ProgressFnT) -> CallToolResult:
        client = await self.opened()
        params = CallToolRequestParams(name=name, arguments=dict(arguments))
        request = CallToolRequest(params=params)
        # The client bounds a call from when it is sent, which what was sent before it may keep it from.
        async with self._in_sentences(self._timeout), asyncio.timeout(self._timeout + CLOSE_SECONDS):
            try:
                result = await self._asked(client, request, on_progress)
            except MCPError as error:
                if error.code != mcp_types.HEADER_MISMATCH:
                    raise
                # The server wants arguments as headers, too; which, the client knows from the list.
                await self.listed()
                result = await self._asked(client, request, on_progress)
        if isinstance(result, InputRequiredResult):
            raise self._error("asks for more in the middle of the call, which this site cannot give it")
        return result

    async def _asked(
        self, client: Client, request: CallToolRequest, on_progress: ProgressFnT
    ) -> CallToolResult | InputRequiredResult:
        # Not client.call_tool(): it would list all tools again, and judge the result by a schema of the server's, whose
        # patterns may take for ever. The client sends the trace that it finds, as ``traceparent`` in ``_meta``.
        with nullcontext() if self._is_told_of_traces else tracing.apart():
            return await client.session.send_request(
                request, _ANSWER, request_read_timeout_seconds=self._timeout, progress_callback=on_progress
            )

    async def listed(self) -> list[Tool]:
        """Return all tools of the server, in its order. Raises ToolServerError."""
        client, tools = await self.opened(), list[Tool]()
        cursor: str | None = None
        async with self._in_sentences(OPEN_SECONDS), asyncio.timeout(OPEN_SECONDS):
            for _ in range(MAX_PAGES):
                with tracing.apart():
                    page = await client.list_tools(cursor=cursor)
                tools += page.tools
                if len(tools) > MAX_LISTED:
                    raise self._error(f"lists more than {MAX_LISTED:,} tools")
                if (cursor := page.next_cursor) is None:
                    return tools
        raise self._error(f"lists its tools in more than {MAX_PAGES} pages")

    async def _keep(self) -> None:
        """Open the connection, and hold it until it is closed or ends by itself."""
        try:
            with anyio.fail_after(OPEN_SECONDS) as opening:
                async with self._client() as client:
                    opening.deadline = math.inf
                    self._opened.set_result(client)
                    await self._closing_or_ended()
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._cause = self._explained(error)
            # Of several calls under way nobody knows which could not be sent: the others have begun.
            self._cause.begun = self._cause.begun or self.users > 1
            if not isinstance(error, Exception):
                raise
        finally:
            if not self._opened.done():
                self._opened.set_exception(self._cause or self._error("could not be reached", begun=False))
                self._opened.exception()  # nobody may be waiting any more

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Client]:
        address = self._address
        self._is_told_of_traces = tracing.is_on() and await inside.is_own(address)
        if address.command:
            async with Client(stdio_transport(address.command, self._output), cache=None, client_info=_INFO) as client:
                yield client
            return
        await asyncio.to_thread(site_authorities)
        async with client_of(address, self._refusals, self._output, self._timeout) as http:
            transport = http_transport(address, http)
            async with Client(transport, cache=None, client_info=_INFO) as client:
                yield client

    async def _closing_or_ended(self) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (self._closing, self._output.ended)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    @asynccontextmanager
    async def _in_sentences(self, seconds: float) -> AsyncIterator[None]:
        try:
            yield
        except TimeoutError:
            self._is_spent = True
            raise self._error(f"did not answer within {seconds:g} seconds") from None
        except MCPError as error:
            if error.message == _CLOSED and not self._output.ended.is_set():
                await asyncio.wait([self._keeper], timeout=CLOSE_SECONDS)  # it knows why
            raise self._explained(error) from None
        except (ValidationError, ValueError, TypeError) as error:
            logger.info("a tool server's answer could not be read: %s", type(error).__name__)
            raise self._error("answered what is not MCP") from None

    def _explained(self, error: BaseException) -> ToolServerError:
        """Say what has happened, in a sentence of ours: only an error of the protocol is quoted."""
        match error:
            case ToolServerError():
                return error
            case BaseExceptionGroup():
                return self._explained(error.exceptions[0])
            case TimeoutError() if not self._opened.done():
                return self._error(f"did not answer within {OPEN_SECONDS:g} seconds", begun=False)
            case httpx2.ConnectError() | httpx2.ConnectTimeout():
                return self._error("could not be reached", begun=False)
            case OSError() | ValueError() if not self._opened.done():
                return self._error("could not be reached", begun=False)
            case MCPError():
                return self._explained_answer(error)
        logger.info("a connection to a tool server has failed: %s", type(error).__name__)
        return self._cause or self._error("broke the connection off")

    def _explained_answer(self, error: MCPError) -> ToolServerError:
        if self._output.too_much or TOO_LARGE in error.message:
            return self._error("answered more than is read of one answer")
        if refused := self._refusals.find(error):
            return self._refused(*refused)
        match error.code:
            case mcp_types.REQUEST_TIMEOUT:
                return self._error(f"did not answer within {self._timeout:g} seconds")
            case _ if _is_closed(error):
                return self._cause or self._error("ended in the middle of the call")
            case mcp_types.PARSE_ERROR:
                return self._error("answered what is not MCP")
            case mcp_types.INVALID_REQUEST if error.message == _TERMINATED:
                self._is_spent = True
                return self._error("has forgotten the session", begun=False)
        said = " ".join(error.message.split())[:300].rstrip(".")
        return self._error(f"refused the call: {said}" if said else "refused the call")

    def _refused(self, status: int, challenge: str) -> ToolServerError:
        told = f"The tool server {self._address.name} refuses the credentials it was sent ({status})."
        return Unauthorized(told, challenge)

    def _error(self, what: str, *, begun: bool = True) -> ToolServerError:
        return ToolServerError(f"The tool server {self._address.name} {what}.", begun=begun)


def _is_closed(error: MCPError) -> bool:
    """Whether the client itself has made the error: servers use its code for whatever they like."""
    return error.code == mcp_types.CONNECTION_CLOSED and error.message.startswith((_CLOSED, "SSE stream"))
