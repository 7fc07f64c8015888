"""A tool server as a process of this host, which speaks on its standard input and output.

The client's own transport joins whatever a process writes until a line ends, without a bound. This one reads MAX_BYTES
at most: of a line, and of all lines between a request and its answer. A process that writes more is killed, and so is
one that does not end by itself when its input is closed; it gets none of this site's environment but PATH and the like.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client._transport import TransportStreams  # its only name
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCRequest, JSONRPCResponse, jsonrpc_message_adapter

from sessions_app.tool_servers.bounds import MAX_BYTES, MAX_LOGGED
from sessions_app.tool_servers.output import Output
from sessions_app.tool_servers.thinning import Thinning, TooMuch

logger = logging.getLogger(__name__)

_PIECE, _PAUSE = 65_536, 0.05
"""Bytes that are read at once of what a process writes of itself, and seconds between two reads of what is dropped."""

END_SECONDS = 2.0
"""That a process has to end by itself once its input is closed."""


@asynccontextmanager
async def stdio_transport(command: str, output: Output) -> AsyncIterator[TransportStreams]:
    """Run a process, with the streams to and from it. Raises OSError, ValueError (no command)."""
    process = await asyncio.create_subprocess_exec(
        *shlex.split(command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=get_default_environment(),
        start_new_session=True,
        limit=MAX_BYTES,
    )
    to_session, read_stream = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write_stream, from_session = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        async with to_session, read_stream, write_stream, from_session, anyio.create_task_group() as group:
            asked = set[str]()
            group.start_soon(_read, process, to_session, output, asked)
            group.start_soon(_write, process, from_session, asked)
            group.start_soon(_log, process)
            yield read_stream, write_stream
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)


async def _read(
    process: asyncio.subprocess.Process,
    to_session: MemoryObjectSendStream[SessionMessage | Exception],
    output: Output,
    asked: set[str],
) -> None:
    """Read messages. ``asked`` are the ids of requests without an answer: only an answer to one is read anew for."""
    stdout = cast(asyncio.StreamReader, process.stdout)
    thinning = Thinning()
    try:
        async with to_session:
            while line := await stdout.readline():
                thinning.count(len(line))
                if thinning.drops(line):
                    continue
                message = _parsed(line)
                if (answered := _answered(message)) in asked:
                    asked.discard(answered)
                    thinning.begin()
                await to_session.send(message)
    except (TooMuch, ValueError):  # the latter of a line that is longer than the limit
        output.end_with_too_much()
        _kill(process)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError, ConnectionError):
        pass  # the session is over
    finally:
        output.ended.set()


def _parsed(line: bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        # Some servers write their log here. A call whose answer is lost so ends with its time.
        logger.debug("a tool server has written what is no message")
        return error


def _answered(message: SessionMessage | Exception) -> str:
    """Return the id of the request that a message answers; empty for none."""
    if isinstance(message, SessionMessage) and isinstance(message.message, JSONRPCResponse | JSONRPCError):
        return str(message.message.id)
    return ""


async def _write(
    process: asyncio.subprocess.Process, from_session: MemoryObjectReceiveStream[SessionMessage], asked: set[str]
) -> None:
    stdin = cast(asyncio.StreamWriter, process.stdin)
    with suppress(ConnectionError, anyio.ClosedResourceError):  # _read tells that the process has ended
        async with from_session:
            async for message in from_session:
                if isinstance(message.message, JSONRPCRequest):
                    asked.add(str(message.message.id))
                line = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                stdin.write(line.encode() + b"\n")
                await stdin.drain()


async def _log(process: asyncio.subprocess.Process) -> None:
    """Log the beginning of what a process writes of itself, as text that can look like nothing else in a log.

    What comes after is read so slowly that the process waits, and dropped.
    """
    stderr, left = cast(asyncio.StreamReader, process.stderr), MAX_LOGGED
    while piece := await stderr.read(_PIECE):
        for line in piece[:left].decode(errors="replace").splitlines():
            logger.info("the process %d of a tool server says: %s", process.pid, ascii(line)[1:-1])
        left = max(left - len(piece), 0)
        if not left:
            await asyncio.sleep(_PAUSE)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let a process end, or kill it; whatever it has started goes with it."""
    if process.stdin is not None:
        process.stdin.close()
    for _ in range(2):
        # A descendant that has left the group may hold the pipes open for ever, and wait() with them.
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_SECONDS)
        _kill(process)


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own
