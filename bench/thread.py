"""A client of AG-UI over HTTP: all messages that it has come with each run, by their ids."""

from __future__ import annotations

import json
from time import perf_counter
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx2

from bench.client import PATIENCE, Asked
from bench.timing import Timing


class Thread:
    """One thread of the host at `url`."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx2.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE)
        self._messages: list[dict[str, str]] = []
        self._name = str(uuid4())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def turn(self, asked: Asked) -> Timing:
        """Ask, and read the answer as it streams."""
        self._messages.append({"id": str(uuid4()), "role": "user", "content": asked.text})
        body = {
            "threadId": self._name,
            "runId": str(uuid4()),
            "protocolVersion": "1.0",
            "messages": self._messages,
            "tools": [],
            "context": [],
            "state": {},
            "forwardedProps": {},
        }
        began, first, text, answer_id = perf_counter(), 0.0, "", ""
        async with self._client.stream("POST", "ag-ui/", json=body) as response:
            async for line in response.aiter_lines():
                event: dict[str, Any] = json.loads(line[6:]) if line.startswith("data: {") else {}
                if event.get("type") == "TEXT_MESSAGE_CONTENT":
                    first = first or perf_counter()
                    text, answer_id = text + event["delta"], event["messageId"]
        self._messages.append({"id": answer_id, "role": "assistant", "content": text})
        return Timing((first or perf_counter()) - began, perf_counter() - began, text == asked.answer)
