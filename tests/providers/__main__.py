"""The loopback provider as a process of its own: `python -m tests.providers --words 50` prints its port and serves."""

from __future__ import annotations

import argparse
import asyncio

from .script import Answer, words
from .server import Server


async def serve(port: int, count: int, pause: float) -> None:
    """Serve answers of `count` words, `pause` seconds apart, until killed."""
    server = Server(lambda: Answer(words=words(count), pause=pause))
    print(await server.start(port), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--words", type=int, default=50)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between words")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.words, options.pause))
