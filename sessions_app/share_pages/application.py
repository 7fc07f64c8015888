"""The ASGI application of shared chats: pages and files, for users and for visitors without a login.

Not views of Django's: each would keep a thread, and a connection to the database, for as long as the page is rendered
or the file is read. A page is never kept by a browser or a proxy, names no referrer to where its links lead, is in no
search engine, and runs no script.

Whatever is not shown is answered alike: a page of status 404, which offers the login to who is not signed in. A link
for users alone tells a visitor nothing else, so no visitor learns which keys there are.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from math import ceil
from typing import Any
from urllib.parse import parse_qs, quote, urlencode
from uuid import UUID

from django.conf import settings
from django.shortcuts import resolve_url
from django.template.loader import render_to_string

from sessions_app.api.auth import Unauthorised
from sessions_app.api.limits import Limits
from sessions_app.api.revocation import Doorkeeper
from sessions_app.http_api.errors import Gone
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.file_answers import send_file
from sessions_app.share_pages.articles import Article, articles_of, texts_of
from sessions_app.share_pages.rendering import RenderedPages
from sessions_app.share_pages.visits import TooManyVisits, Visit, visit
from sessions_app.sharing import reading
from sessions_app.sharing.keys import root
from sessions_app.turns.runner import Runner

logger = logging.getLogger(__name__)

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ALL = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Vary": "Cookie",
}
_PAGE = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _POLICY}
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_FILE = re.compile(r"([A-Za-z0-9_-]{1,100})/files/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_NUMBER = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)

_BUSY = ("The site is busy", "It cannot show this now. Please try again in a moment.")
_FAILED = ("Something went wrong", "The fault is ours. Please try again in a moment.")
_METHOD = ("This page can only be read", "What your browser has sent is not what this page expects.")


class _NotShown(Exception):  # an outcome, not a fault
    """There is nothing at the address for who asks."""


class SharedChats:
    """Lives as long as the process. ``limits`` are those of its other doors; every answer has ``headers``."""

    def __init__(self, runner: Runner, doorkeeper: Doorkeeper, limits: Limits, headers: Mapping[str, str]) -> None:
        self._runner = runner
        self._doorkeeper = doorkeeper
        self._limits = limits
        self._headers = {**headers, **_ALL}
        self._root = root()
        self._rendered = RenderedPages()

    def has(self, path: str) -> bool:
        """Tell whether an address is one of shared chats."""
        return path.startswith(self._root)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        headers = self._headers
        if scope.get("scheme") == "https":
            headers = {**headers, "Strict-Transport-Security": f"max-age={settings.SECURE_HSTS_SECONDS}"}
        exchange = Exchange(scope, receive, send, self._runner, self._doorkeeper, headers)
        try:
            await self._answer(exchange)
        except Gone:
            pass
        except Exception as error:
            # Nothing that was sent is logged: a key may be in it.
            logger.error("a shared page failed", exc_info=error)
            if exchange.started:
                await exchange.break_off()
            else:
                await _say(exchange, 500, _FAILED)

    async def _answer(self, exchange: Exchange) -> None:
        if exchange.scope["method"] not in ("GET", "HEAD"):
            await _say(exchange, 405, _METHOD, {"Allow": "GET, HEAD"})
            return
        path = exchange.scope["path"].removeprefix(self._root)
        if _KEY.fullmatch(path):
            await _lead(exchange)
            return
        is_user = False
        try:
            async with visit(exchange.scope, self._limits) as visitor:
                is_user = visitor.caller is not None
                await self._show(exchange, visitor, path)
        except TooManyVisits as refused:
            await _say(exchange, 429, _BUSY, {"Retry-After": str(max(1, ceil(refused.wait)))})
        except (_NotShown, Unauthorised):
            await _say_not_shown(exchange, is_user=is_user)

    async def _show(self, exchange: Exchange, visitor: Visit, path: str) -> None:
        """Answer with a page or a file. Raises _NotShown, Unauthorised."""
        if found := _FILE.fullmatch(path):
            await _give(exchange, visitor, found[1], UUID(found[2]))
        elif path.endswith("/") and _KEY.fullmatch(key := path[:-1]):
            await self._show_page(exchange, visitor, key)
        else:
            raise _NotShown

    async def _show_page(self, exchange: Exchange, visitor: Visit, key: str) -> None:
        page = await visitor.read(reading.page, key, _number(exchange.scope["query_string"]))
        if page is None:
            raise _NotShown
        articles: list[Article] = []
        if page.said is not None:
            rendered = await self._rendered.html(visitor.user, page.digest, texts_of(page.said))
            articles = articles_of(page.said, rendered)
        context = {"page": page, "articles": articles}
        body = await asyncio.to_thread(render_to_string, "sessions_app/shared.html", context)
        await exchange.answer(body.encode(), headers=_PAGE)


async def _give(exchange: Exchange, visitor: Visit, key: str, file_id: UUID) -> None:
    async def holds() -> bool:
        with suppress(Unauthorised):
            return await visitor.read(reading.file, key, file_id) is not None
        return False

    file = await visitor.read(reading.file, key, file_id)
    if file is None or not await send_file(exchange, file, _ALL, holds):
        raise _NotShown


async def _lead(exchange: Exchange) -> None:
    """Lead to the address with its slash, whether or not there is something."""
    query = exchange.scope["query_string"].decode("latin1")
    address = quote(exchange.scope["path"]) + "/" + (f"?{query}" if query else "")
    await exchange.answer(b"", status=308, headers={"Location": address, "Content-Type": "text/plain"})


async def _say_not_shown(exchange: Exchange, *, is_user: bool) -> None:
    login = "" if is_user else f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': exchange.scope['path']})}"
    body = await asyncio.to_thread(render_to_string, "sessions_app/not_shared.html", {"login": login})
    await exchange.answer(body.encode(), status=404, headers=_PAGE)


async def _say(
    exchange: Exchange, status: int, words: tuple[str, str], headers: Mapping[str, str] | None = None
) -> None:
    heading, sentence = words
    context = {"heading": heading, "sentence": sentence}
    body = await asyncio.to_thread(render_to_string, "sessions_app/shared_error.html", context)
    await exchange.answer(body.encode(), status=status, headers={**_PAGE, **(headers or {})})


def _number(query: bytes) -> int:
    """Return the number of the page that a query asks for, 1 where it names none. Raises _NotShown."""
    try:
        values = parse_qs(query.decode("ascii"), keep_blank_values=True, max_num_fields=10).get("page", ["1"])
    except ValueError:
        raise _NotShown from None
    if not _NUMBER.fullmatch(values[0]):
        raise _NotShown
    return int(values[0])
