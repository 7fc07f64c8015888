"""A server that takes webhooks, and what stands for the process that sends them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from sessions_app import database
from sessions_app.models import DeliveryState, FactName, Webhook, WebhookDelivery
from sessions_app.webhooks.events import make_secret
from sessions_app.webhooks.running import Webhooks
from tests.turns.host import within


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    head: str
    headers: dict[str, str]
    body: str

    @property
    def event(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """Keeps what comes, and answers with `replies`, the last one for ever; `hold` keeps it from answering."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.replies = ["200 OK"]
        self.hold = asyncio.Event()
        self.hold.set()
        self.came = asyncio.Condition()
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                await self._take(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _take(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        async with self.came:
            self.received.append(Received(first, headers, body.decode()))
            self.came.notify_all()
        await self.hold.wait()
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        status, *more = reply.split("\n")
        text = b"thanks" * 200
        writer.write("\r\n".join([f"HTTP/1.1 {status}", *more, f"Content-Length: {len(text)}", "", ""]).encode() + text)
        await writer.drain()

    async def until(self, count: int) -> list[Received]:
        """What has come, once there is so much of it."""
        async with self.came:
            await within(self.came.wait_for(lambda: len(self.received) >= count))
        return self.received

    @property
    def types(self) -> list[str]:
        """Which events have come, sorted: they come in any order."""
        return sorted(each.event["type"] for each in self.received)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver()
    listening = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/hook?key=1"
    try:
        yield receiver
    finally:
        listening.close()


def make(url: str, *events: str, **fields: Any) -> tuple[Webhook, str]:
    """Store a webhook for these facts, or for all; return it with its secret."""
    secret = make_secret()
    webhook = Webhook(name=fields.pop("name", "crm"), url=url, events=list(events or FactName.values), **fields)
    webhook.take_secret(secret)
    webhook.all_users = fields.get("all_users", True)
    webhook.switch()
    webhook.save()
    return webhook, secret


async def made(url: str, *events: str, **fields: Any) -> tuple[Webhook, str]:
    return await database.write(make, url, *events, **fields)


async def told(process: Webhooks | None = None) -> None:
    """Have a process look once, and return when it has sent what was due."""
    process = process or Webhooks()
    await process.poll()
    while process.work:
        await within(asyncio.wait(process.work))


async def deliveries() -> list[WebhookDelivery]:
    return await database.read(lambda: list(WebhookDelivery.objects.order_by("pk")))


async def delivery() -> WebhookDelivery:
    [only] = await deliveries()
    return only


async def later(days: float) -> None:
    """Let time pass: all that webhooks remember of it is so much longer ago."""

    def age() -> None:
        by = timedelta(days=days)
        WebhookDelivery.objects.update(created_at=F("created_at") - by, next_at=F("next_at") - by)
        Webhook.objects.update(failing_since=F("failing_since") - by)

    await database.write(age)


async def all_due() -> None:
    """Let whatever waits be due."""
    waiting = WebhookDelivery.objects.filter(state=DeliveryState.WAITING)
    await database.write(lambda: waiting.update(next_at=Now()))
