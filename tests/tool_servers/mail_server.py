"""A tool server that notes what it was asked to send: `python -m tests.tool_servers.mail_server FILE`.

It speaks over standard input and output. Each mail is a line of the file, which outlives the process.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("mail", log_level="CRITICAL")


@server.tool()
def send(to: str) -> str:
    """Send a mail."""
    with Path(sys.argv[1]).open("a") as sent:
        sent.write(f"{to}\n")
    return f"sent to {to}"


@server.tool()
async def send_slowly(ctx: Context, to: str) -> str:
    """Send a mail, and say so never."""
    send(to)
    await ctx.report_progress(1)
    await asyncio.Event().wait()
    return ""


@server.tool()
def count() -> str:
    """Tell how many mails were sent."""
    return str(len(Path(sys.argv[1]).read_text().splitlines()))


if __name__ == "__main__":
    server.run("stdio")
