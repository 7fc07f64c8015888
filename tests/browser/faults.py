"""A connection on which chosen requests fail, as they do where a server has a bad moment."""

from __future__ import annotations

import json

from playwright.async_api import BrowserContext, WebSocketRoute

PASSING = -32603
NOT_FOUND = -32001


class Faults:
    """Stands between the pages of a browser and the site. `install` it before the first page is opened."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.failed: list[str] = []

    async def install(self, context: BrowserContext) -> None:
        await context.route_web_socket("**/ws/chat/", self._join)

    def fail(self, method: str, code: int = PASSING) -> None:
        """Answer this method's requests with an error from now on."""
        self.codes[method] = code

    def stop(self) -> None:
        """Let all requests through again."""
        self.codes.clear()

    def _join(self, page: WebSocketRoute) -> None:
        site = page.connect_to_server()

        def pass_on(frame: str | bytes) -> None:
            request = json.loads(frame)
            if code := self.codes.get(request["method"]):
                self.failed.append(request["method"])
                page.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": "no"}}))
            else:
                site.send(frame)

        page.on_message(pass_on)
