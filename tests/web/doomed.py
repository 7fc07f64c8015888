"""A process that renders a text in an odd worker, says which process that is, and is killed by its test."""

from __future__ import annotations

import asyncio
import sys

from sessions_app.web import rendering


async def main(text: str) -> None:
    workers = rendering.workers()
    await workers.render_all(1, ["**first**"])
    print("worker", workers.idle[0].pid, flush=True)
    if text:
        asyncio.get_running_loop().call_later(0, print, "rendering")
        await workers.render_all(1, [text])
    sys.stdin.read()


if __name__ == "__main__":
    rendering.COMMAND = [sys.executable, "-m", "tests.web.odd_worker"]
    asyncio.run(main(*sys.argv[1:]))
