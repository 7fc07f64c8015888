"""A script: the server of hermes_site around an application of a few lines, for tests/test_server.py.

Prints what happens. A client that says "flood" is sent 64 frames of 1 MiB, "large" one of 20 MiB, "flood and close" is
closed with 4008 in the midst of it, "finish" ends the runner's draining, "hang" makes the consumer deaf; anything else
is echoed. A handshake at /pending is never answered; HTTP at /flood is 64 MiB. With --hasty it waits for a client for a
second or three, else for as long as a busy machine may need. With --trusting whoever is on this machine is a trusted
proxy. With --tells-drops it tells each time that a connection waits to be read, of which all is dropped.
"""

import asyncio
import ipaddress
import json
import sys
from collections.abc import Callable, Hashable
from typing import Any

from hermes_site import http, lingering, server
from hermes_site.dropping import Dropping
from hermes_site.uploads import Place, Uploads
from tests.processes import PATIENCE

# Autobahn rounds its timers down, by up to a second.
server.CLOSING = 2.0
server.READING_OUT = 2.0
http.HEAD_SECONDS, http.BODY_SECONDS, http.IDLE_SECONDS = (1.0, 1.0, 3.0) if "--hasty" in sys.argv else [PATIENCE] * 3
lingering.LINGER_SECONDS = 1.0 if "--hasty" in sys.argv else PATIENCE


class TellingDropping(Dropping):
    def wait(self, address: Hashable, read_on: Callable[[], None]) -> None:
        print("waits to be read", flush=True)
        super().wait(address, read_on)


if "--tells-drops" in sys.argv:
    setattr(http, "Dropping", TellingDropping)  # noqa: B010 - imported there, for itself


class TinyRunner:
    def __init__(self) -> None:
        self.finish = asyncio.Event()

    async def start(self) -> None:
        if "--fail" in sys.argv:
            raise RuntimeError("cannot start")
        print("started", flush=True)

    async def drain(self, grace: float) -> None:
        print(f"draining for {grace}", flush=True)
        await self.finish.wait()
        print("drained", flush=True)


runner = TinyRunner()
# Whether a client that is flooded has ceased to read.
held = asyncio.Event()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await tell(scope, receive, send)
        return
    if scope["path"] == "/pending":
        print("pending", flush=True)
        await hang()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            print(f"disconnected with {message['code']}", flush=True)
            return
        if text := message.get("text"):
            await answer(text, send)


async def tell(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers a request with what the application was told of it: root path, client, length of the body, its pieces."""
    if scope["path"] == "/flood":
        await flood(send)
        return
    length, pieces, more = 0, 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
        pieces += 1
    told = json.dumps([scope["root_path"], scope["client"][0], length, pieces]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]})
    await send({"type": "http.response.body", "body": told})


async def flood(send: Any) -> None:
    """Streams 64 MiB, and tells whether the client was waited for."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % 2**26)]})
    for number in range(64):
        piece = {"type": "http.response.body", "body": b"x" * 2**20, "more_body": True}
        sending = asyncio.ensure_future(send(piece))
        await asyncio.wait([sending], timeout=0.2)
        if not sending.done():
            print(f"held at {number}", flush=True)
        await sending
    await send({"type": "http.response.body", "body": b""})
    print("flooded", flush=True)


async def answer(text: str, send: Any) -> None:
    if text == "flood":
        for number in range(64):
            sending = asyncio.ensure_future(send({"type": "websocket.send", "text": "x" * 1024 * 1024}))
            await asyncio.wait([sending], timeout=0.2)
            if not sending.done():
                print(f"held at {number}", flush=True)
                held.set()
            await sending
        print("flooded", flush=True)
    elif text == "large":
        await send({"type": "websocket.send", "text": "x" * 20 * 1024 * 1024})
    elif text == "flood and close":
        flooding = asyncio.ensure_future(answer("flood", send))
        await held.wait()
        await send({"type": "websocket.close", "code": 4008})
        await flooding
    elif text == "finish":
        runner.finish.set()
    elif text == "hang":
        await hang()
    else:
        await send({"type": "websocket.send", "text": text})


async def hang() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        print("cancelled", flush=True)


if __name__ == "__main__":
    port, max_frame = int(sys.argv[1]), int(sys.argv[2])
    proxies = [ipaddress.ip_network("127.0.0.0/8")] if "--trusting" in sys.argv else []
    places = Uploads((Place("/files/", 10_000_000, "A file may have at most 10 MB."),))
    serving = server.Server(
        application, runner, port=port, max_frame=max_frame, grace=7, proxies=proxies, uploads=places
    )
    serving.serve(lambda url: print(url, flush=True))
