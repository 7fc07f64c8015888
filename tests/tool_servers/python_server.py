"""A tool server written with the Python SDK: `python -m tests.tool_servers.python_server [stdio | PORT]`.

Over HTTP it prints `listening on PORT`. Cancelled calls, and the headers of the last call, can be asked for.
"""

from __future__ import annotations

import asyncio
import io
import os
import socket
import sys
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from PIL import Image as Picture

server = MCPServer("python", instructions="A server of the tests.", log_level="CRITICAL")
cancelled: list[str] = []


def png(colour: str = "red", size: int = 40) -> bytes:
    """A picture of one colour."""
    kept = io.BytesIO()
    Picture.new("RGB", (size, size), colour).save(kept, "PNG")
    return kept.getvalue()


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def weather(city: str) -> dict[str, Any]:
    """Tell the weather of a city."""
    return {"city": city, "degrees": 21, "sky": "clear"}


@server.tool(structured_output=False)
def picture(colour: str) -> list[Any]:
    """Draw a picture of one colour."""
    return [f"A {colour} picture.", Image(data=png(colour), format="png")]


@server.tool()
def fail() -> str:
    """Fail."""
    raise ToolError("the shelf is empty")


@server.tool()
def long_text(characters: int) -> str:
    """Tell a long text."""
    return "x" * characters


@server.tool()
async def count(ctx: Context, to: int, seconds: float = 0.0) -> str:
    """Count, and tell how far it is."""
    for number in range(1, to + 1):
        await ctx.report_progress(number, to, f"{number} of {to}")
        await asyncio.sleep(seconds)
    return f"Counted to {to}."


@server.tool()
async def wait(ctx: Context, name: str) -> str:
    """Wait for ever, and note whether it was cancelled."""
    await ctx.report_progress(0)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        cancelled.append(name)
        raise
    return "never"


@server.tool()
def cancelled_calls() -> str:
    """Tell which calls of `wait` were cancelled."""
    return ",".join(cancelled)


@server.tool()
def crash() -> str:
    """End the process."""
    os._exit(1)


@server.tool()
def environment() -> str:
    """Tell the names in the environment of the process."""
    return ",".join(sorted(os.environ))


@server.tool(name="who-am.i")
def who_am_i(ctx: Context) -> str:
    """Tell the credentials of the request."""
    request = ctx.request_context.request
    return "nobody" if request is None else request.headers.get("authorization", "nobody")


def serve_http(port: int, *, stateless: bool = False) -> None:
    """Serve on a port of loopback; 0 is any."""
    listening = socket.create_server(("127.0.0.1", port))
    app = server.streamable_http_app(stateless_http=stateless)
    config = uvicorn.Config(app, log_level="error", lifespan="on")
    print(f"listening on {listening.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    if sys.argv[1:] == ["stdio"]:
        server.run("stdio")
    else:
        serve_http(int(sys.argv[1]) if sys.argv[1:] else 0)
