"""The HTML of shared pages: each is rendered once, however many ask for it at the same time, and kept for a minute.

It is rendered in the time that visitors without a login have together (``VISITORS``), or in that of the user who came
first. What is kept is found by the digest of the page, which the database is asked for each time: so what was revoked
is not shown, and it is gone from memory a minute later.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from sessions_app.web import rendering

VISITORS = 0
"""In the place of a user's id: all who are not signed in. No user has it."""
KEPT_SECONDS = 60.0
MAX_CHARACTERS = 10_000_000
"""Of all that is kept."""


class RenderedPages:
    """The pages that were rendered, or are being rendered. Used in the event loop."""

    def __init__(self) -> None:
        self._pages: OrderedDict[str, asyncio.Task[list[str]]] = OrderedDict()
        self._characters = 0

    async def html(self, user: int, digest: str, texts: Sequence[str]) -> list[str]:
        """Return the HTML of each text of the page with this digest."""
        task = self._pages.get(digest)
        if task is None:
            task = self._pages[digest] = asyncio.ensure_future(rendering.render_all(user, list(texts)))
            task.add_done_callback(lambda done: self._keep(digest, done))
        # Who leaves takes nothing from the others who wait for it.
        return await asyncio.shield(task)

    def _keep(self, digest: str, task: asyncio.Task[list[str]]) -> None:
        if task.cancelled() or task.exception() is not None:
            del self._pages[digest]
            return
        self._characters += _size(task)
        task.get_loop().call_later(KEPT_SECONDS, self._drop, digest, task)
        for oldest, other in list(self._pages.items()):
            if self._characters <= MAX_CHARACTERS:
                break
            if other.done():
                self._drop(oldest, other)

    def _drop(self, digest: str, task: asyncio.Task[list[str]]) -> None:
        if self._pages.get(digest) is task:
            del self._pages[digest]
            self._characters -= _size(task)


def _size(task: asyncio.Task[list[str]]) -> int:
    return sum(map(len, task.result()))
