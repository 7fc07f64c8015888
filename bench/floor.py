"""The floor: httpx2 reads the same answer from the same provider, and nothing else is done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from time import perf_counter
from types import TracebackType
from typing import Self

import httpx2

from bench.provider import asked_for
from bench.timing import Timing

_HEADERS = {"content-type": "application/json", "authorization": "Bearer loopback"}


class Floor:
    """One client with its keep-alive connections to the provider at `url`."""

    def __init__(self, url: str) -> None:
        self._client = httpx2.AsyncClient(base_url=url, timeout=60, limits=httpx2.Limits(max_connections=None))
        self._root = url.removesuffix("/v1")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def bodies(self, count: int) -> list[str]:
        """The last request bodies that the provider got, oldest first."""
        response = await self._client.get(f"{self._root}/bodies?{count}")
        told: list[str] = response.json()
        return told

    async def repeat(self) -> Timing:
        """The call for the request that came last."""
        [body] = await self.bodies(1)
        return await self.call(body)

    async def repeat_at_once(self, count: int) -> list[Timing]:
        """The calls for the last `count` requests, all at the same time."""
        return await self.at_once(await self.bodies(count))

    async def at_once(self, bodies: Iterable[str]) -> list[Timing]:
        """One call for each body, all at the same time."""
        return list(await asyncio.gather(*map(self.call, bodies)))

    async def call(self, body: str) -> Timing:
        """Send a body and read the answer as it streams."""
        began, first, text = perf_counter(), 0.0, ""
        request = self._client.stream("POST", "/chat/completions", content=body.encode(), headers=_HEADERS)
        async with request as response:
            async for line in response.aiter_lines():
                if not line.startswith("data: {"):
                    continue
                choices = json.loads(line[6:])["choices"]
                if choices and (word := choices[0]["delta"].get("content")):
                    first = first or perf_counter()
                    text += word
        return Timing(first - began, perf_counter() - began, text == asked_for(body).answer)
