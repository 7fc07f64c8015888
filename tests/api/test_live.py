"""The same over a real server process, with a WebSocket client that shares no code with it."""

from __future__ import annotations

import json
import sqlite3
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
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

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the answer to a request, and drop the events before it."""
        request_id = len(self.asked)
        self.asked[request_id] = method
        self.socket.send(json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))
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
def peer(site: LiveSite, **headers: str) -> Iterator[Peer]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with connect(site.ws_url, additional_headers=named, max_size=None, proxy=None) as socket:
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

    def log_in(self, user: str) -> None:
        self._opener.open(f"{self.site.base_url}/accounts/login/", timeout=PATIENCE).close()
        self.post("/accounts/login/", username=user, password=PASSWORD)
        assert "sessionid" in self.cookies


def test_a_conversation_by_token(live_server_process: LiveSite) -> None:
    with peer(live_server_process, **token(live_server_process)) as client:
        session_id = client.call("session.create", title="Live")["result"]["session"]["id"]
        client.call("session.open", session_id=session_id)
        run_id = client.call("turn.start", session_id=session_id, text="Hello")["result"]["run_id"]
        end = client.until(lambda frame: frame["params"]["event"]["type"] in ("RUN_FINISHED", "RUN_ERROR"))
        assert (end["params"]["run_id"], end["params"]["event"]["type"]) == (run_id, "RUN_FINISHED")
        assert len(client.call("session.messages", session_id=session_id, before=9)["result"]["messages"]) == 2
        assert client.call("session.search", query="ello")["result"]["hits"]


def test_a_browser_is_let_in_and_cut_off_at_its_logout(live_server_process: LiveSite) -> None:
    browser = Browser(live_server_process)
    browser.log_in("owner")
    with (
        peer(live_server_process, **browser.headers) as listening,
        peer(live_server_process, **browser.headers) as other,
    ):
        other.call("session.create", title="shared")
        listening.until(lambda frame: frame["params"]["event"]["value"]["title"] == "shared")
        browser.post("/accounts/logout/")
        assert listening.closed() == 4401
        assert other.closed() == 4401
    with peer(live_server_process, **browser.headers) as client:
        assert client.closed() == 4401


def test_a_stranger_is_accepted_and_at_once_closed(live_server_process: LiveSite) -> None:
    with peer(live_server_process) as client:
        assert client.closed() == 4401


def test_a_token_revoked_by_another_program_ends_at_the_next_command(live_server_process: LiveSite) -> None:
    site = live_server_process
    with peer(site, **token(site)) as client:
        client.call("session.list")
        with closing(sqlite3.connect(site.database)) as raw, raw:
            raw.execute("DELETE FROM sessions_app_apitoken")
        client.socket.send('{"jsonrpc":"2.0","id":1,"method":"session.create"}')
        assert client.closed() == 4401
    with closing(sqlite3.connect(site.database)) as raw:
        assert raw.execute("SELECT count(*) FROM sessions_app_chatsession").fetchone() == (0,)


def test_bad_frames_on_the_real_wire(live_server_process: LiveSite) -> None:
    with peer(live_server_process, **token(live_server_process)) as client:
        for frame in ("", "{", "[" * 5000, '{"id":1e400}', '{"id":NaN}', f'{{"id":{"9" * 5000}}}'):
            assert client.raw(frame) == -32700
        assert client.raw("[]") == -32600
        assert client.raw('{"jsonrpc":"2.0","id":null,"method":"x"}') == -32601
        session_id = client.call("session.create")["result"]["session"]["id"]
        for text, code in (("\0", -32602), ("\ud800", -32602), ("x" * 2**20, -32002), (" ", -32602)):
            assert client.call("turn.start", session_id=session_id, text=text)["error"]["code"] == code
        # The longest text there may be, each character in the longest way that JSON can write it.
        longest = client.call("turn.start", session_id=session_id, text="\U0001f600" * 200_000)
        assert longest["result"]["message"]["text"] == "\U0001f600" * 200_000


def test_a_frame_beyond_the_bound_and_a_binary_one_close(live_server_process: LiveSite) -> None:
    for frame, codes in (("x" * 10 * 2**20, (1009, 4009)), (b"{}", (4003,))):
        with peer(live_server_process, **token(live_server_process)) as client:
            client.socket.send(frame)
            assert client.closed() in codes
