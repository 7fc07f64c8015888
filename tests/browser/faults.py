"""A connection on which chosen requests fail or are answered late.

As it is where a server, or what lies before it, has a bad moment.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from playwright.async_api import Page, WebSocketRoute

PASSING = -32603


class Faults:
    """Stands between a visitor's pages and the site: `visitor.prepare(faults.install)` before the first is opened."""

    def __init__(self) -> None:
        self._errors: dict[str, dict[str, Any]] = {}
        self._late = ""
        self._held: list[Callable[[], None]] = []

    async def install(self, page: Page) -> None:
        await page.route_web_socket("**/ws/chat/", self._join)

    def fail(self, method: str, code: int = PASSING, *, retry_after: int = 0) -> None:
        """Answer this method's requests with an error from now on; the page waits so many seconds or more."""
        self._errors[method] = {"code": code, "message": "no", "data": {"retry_after": retry_after}}

    def hold(self, method: str) -> None:
        """Keep the answers to this method's requests back from now on."""
        self._late = method

    def stop(self) -> None:
        """Let all requests and answers through again, those first that were kept back."""
        self._errors.clear()
        self._late = ""
        for send in self._held:
            send()
        self._held.clear()

    def _join(self, page: WebSocketRoute) -> None:
        site = page.connect_to_server()
        late = set()

        def ask(frame: str | bytes) -> None:
            request = json.loads(frame)
            if error := self._errors.get(request["method"]):
                page.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}))
                return
            if request["method"] == self._late:
                late.add(request["id"])
            site.send(frame)

        def answer(frame: str | bytes) -> None:
            told = json.loads(frame)
            if self._late and told.get("id") in late:
                self._held.append(partial(page.send, frame))
            else:
                page.send(frame)

        page.on_message(ask)
        site.on_message(answer)
