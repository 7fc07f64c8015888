"""A tool server that wants each user's authorisation, and the authorisation server that it names, on loopback.

Both are those of the Python SDK. What a path answers can be replaced, and every request is written down.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
import uvicorn
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.authorisations.provider import Memory, request_of

SCOPE = "notes"
CONSENT = """<!doctype html><html lang="en"><title>May it read your notes?</title>
<form method="post">
<button name="allow" value="yes">Allow</button><button name="allow" value="no">Refuse</button>
</form>
"""


@dataclass
class Fault:
    """What a path answers in place of what it would."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


class Gate(threading.Event):
    """What requests wait for; where it `drops`, they are answered nothing then, and do nothing."""

    drops = False


class Faulty:
    """ASGI middleware: writes down each request, and answers with the faults that a test has set."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.faults: dict[str, Fault] = {}
        self.held = ""
        self.arrived, self.gate = threading.Event(), Gate()
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body, messages = b"", list[Any]()
        while not messages or messages[-1].get("more_body"):
            messages.append(await receive())
            body += messages[-1].get("body", b"")
        headers = {name.decode(): value.decode("latin1") for name, value in scope["headers"]}
        self.requests.append((scope["path"], headers, body))
        if scope["path"] == self.held:
            self.arrived.set()
            gate = self.gate
            await asyncio.to_thread(gate.wait)
            if gate.drops:
                return
        if fault := self.faults.get(scope["path"]):
            await Response(fault.body, fault.status, fault.headers)(scope, receive, send)
            return
        waiting = iter(messages)

        async def again() -> Any:
            return next(waiting, None) or await receive()

        await self.app(scope, again, send)


class ProtectedServer:
    """A running tool server at `url`, with its authorisation server at `issuer`. `close` it."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.issuer = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.url = f"{self.issuer}/mcp"
        self.memory = Memory(self.issuer)
        self._app = Faulty(self._made().streamable_http_app(stateless_http=True, json_response=True))
        self._server = uvicorn.Server(uvicorn.Config(self._app, log_level="warning", lifespan="on"))
        self._thread = threading.Thread(target=self._run, name="protected tool server")
        self._thread.start()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def _made(self) -> MCPServer[Any]:
        server: MCPServer[Any] = MCPServer(
            "notes",
            auth_server_provider=self.memory,
            # Addresses as texts are kept as they are, without a slash more.
            auth=AuthSettings.model_validate(
                {
                    "issuer_url": self.issuer,
                    "resource_server_url": self.url,
                    "validate_token_resource": True,
                    "required_scopes": [SCOPE],
                    "client_registration_options": ClientRegistrationOptions(enabled=True, valid_scopes=[SCOPE]),
                    "revocation_options": RevocationOptions(enabled=True),
                }
            ),
        )

        @server.tool()
        def read_notes() -> str:
            """Read the notes of the user who has connected."""
            token = get_access_token()
            return f"The notes of {token.subject if token else 'nobody'}."

        @server.custom_route("/consent", ["GET", "POST"])
        async def consent(request: Request) -> Response:
            if request.method == "GET":
                return HTMLResponse(CONSENT)
            allows = (await request.form()).get("allow") == "yes"
            return RedirectResponse(self.memory.answer(request.query_params["request"], allows), 302)

        return server

    @property
    def requests(self) -> list[tuple[str, dict[str, str], bytes]]:
        """All requests so far: path, headers, body."""
        return list(self._app.requests)

    def forms(self, path: str) -> list[dict[str, str]]:
        """The forms that were sent to a path so far."""
        return [{k: v[0] for k, v in parse_qs(body.decode()).items()} for at, _, body in self.requests if at == path]

    def answer(self, path: str, fault: Fault | None) -> None:
        """Let a path answer this from now on; None: as it would."""
        if fault is None:
            self._app.faults.pop(path, None)
        else:
            self._app.faults[path] = fault

    def hold(self, path: str) -> None:
        """Answer nothing at a path until `gate` is set; `arrived` is, once somebody waits for it."""
        self._app.held = path
        self.arrived.clear()
        self._app.gate = Gate()

    @property
    def arrived(self) -> threading.Event:
        return self._app.arrived

    @property
    def gate(self) -> Gate:
        return self._app.gate

    def decide(self, address: str, *, allows: bool = True) -> str:
        """Do what a browser does at an authorisation address; return where the person's decision leads it."""
        with httpx2.Client(follow_redirects=False) as browser:
            asked = browser.get(address)
            assert asked.status_code == 302, asked.text
            return self.memory.answer(request_of(asked.headers["location"]), allows)

    def forget(self) -> None:
        """Be as new."""
        self.memory.begin()
        self._app.faults.clear()
        self._app.requests.clear()
        self._app.held = ""

    def close(self) -> None:
        """End the server."""
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture(scope="session")
def running_server() -> Iterator[ProtectedServer]:
    """A protected server, of all tests: its end takes a second."""
    running = ProtectedServer()
    yield running
    running.close()


@pytest.fixture
def protected(running_server: ProtectedServer) -> ProtectedServer:
    """A tool server that wants an authorisation, and of which nobody has asked for one."""
    running_server.forget()
    return running_server
