"""Clients of a real site that share no code with it: a WebSocket of JSON-RPC, and a browser's HTTP."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.api.client import check
from tests.live import PASSWORD, LiveSite
from tests.processes import PATIENCE


class Peer:
    """A connection; every frame that the server sends is held against its types."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.asked: dict[Any, str] = {None: ""}

    def next(self) -> dict[str, Any]:
        return check(str(self.socket.recv(timeout=PATIENCE)), self.asked)

    def send(self, method: str, **params: Any) -> int:
        """Send a request and return its id."""
        request_id = len(self.asked)
        self.asked[request_id] = method
        self.socket.send(json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))
        return request_id

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the answer to a request, and drop the events before it."""
        return self.answer(self.send(method, **params))

    def answer(self, request_id: int) -> dict[str, Any]:
        """Return the answer to a request that was sent."""
        return self.until(lambda frame: frame.get("id") == request_id)

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while not wanted(frame := self.next()):
            pass
        return frame

    def raw(self, frame: str | bytes) -> int:
        """Return the code of the error that a frame is answered with."""
        self.socket.send(frame)
        code: int = self.next()["error"]["code"]
        return code

    def closed(self) -> int | None:
        """Return the code with which the server closes."""
        try:
            while True:
                self.next()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


@contextmanager
def peer(site: LiveSite, path: str = "", **headers: str) -> Iterator[Peer]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with connect(site.ws_url + path, additional_headers=named, max_size=None, proxy=None) as socket:
        yield Peer(socket)


def token(site: LiveSite, user: str = "owner") -> dict[str, str]:
    return {"authorization": f"Bearer {site.tokens[user]}"}


class Browser:
    """Logs in and out over HTTP as a browser does."""

    def __init__(self, site: LiveSite) -> None:
        self.site = site
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: str(cookie.value) for cookie in self.jar}

    @property
    def headers(self) -> dict[str, str]:
        return {
            "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "origin": self.site.base_url,
        }

    def post(self, path: str, **fields: str) -> None:
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": self.cookies["csrftoken"], **fields}).encode()
        self._opener.open(f"{self.site.base_url}{path}", data, timeout=PATIENCE).close()

    def open(self, path: str) -> str:
        """Ask for a page, and return the address where that led to."""
        with self._opener.open(f"{self.site.base_url}{path}", timeout=PATIENCE) as page:
            return str(page.url)

    def log_in(self, user: str) -> None:
        self._opener.open(f"{self.site.base_url}/accounts/login/", timeout=PATIENCE).close()
        self.post("/accounts/login/", username=user, password=PASSWORD)
        assert "sessionid" in self.cookies
