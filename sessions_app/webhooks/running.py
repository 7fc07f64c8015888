"""Tell other systems, in this process: look at the journal, and send what is due. The supervisor calls once a second.

Each webhook has a sender of its own while anything is due, so a receiver that hangs keeps no other one waiting; and a
process that has no webhook asks one query a second.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from types import ModuleType

from django.conf import settings

from sessions_app import database
from sessions_app.models import WebhookDelivery
from sessions_app.models.sealed import UnreadableSecret
from sessions_app.webhooks import collecting, events, rows
from sessions_app.webhooks.horizon import Mark, complete
from sessions_app.webhooks.outcomes import Outcome

logger = logging.getLogger(__name__)

AT_ONCE = 8
"""Events on their way to one webhook at once, in one process."""

_UNREADABLE = "Its secret cannot be read any more: SECRET_KEY is another one. Make a new one."
_FAULT = "Something went wrong on this site; its log says what."


class Webhooks:
    """Lives as long as the process, until ``stop``."""

    def __init__(self) -> None:
        self._mark: Mark | None = None
        self._senders: dict[int, asyncio.Task[None]] = {}

    async def stop(self) -> None:
        """End. What is on its way is left: it is sent again, by another process or after the next start."""
        senders = list(self._senders.values())
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    @property
    def work(self) -> frozenset[asyncio.Task[None]]:
        """What is being sent."""
        return frozenset(self._senders.values())

    async def poll(self) -> None:
        """Look at what is new in the journal, and begin to send what is due."""
        seen = await database.SUPERVISOR.read(collecting.look)
        behind = [webhook for webhook in seen if webhook.is_behind]
        if behind:
            until, self._mark = await database.write(complete, self._mark)
            for webhook in behind:
                while await database.write(collecting.collect, webhook.webhook_id, until):
                    pass
            seen = await database.SUPERVISOR.read(collecting.look)
        for webhook in seen:
            if webhook.due and webhook.webhook_id not in self._senders:
                self._begin(webhook.webhook_id)

    async def clear(self) -> None:
        """Remove old deliveries, and stop webhooks for which too many wait."""
        while await database.write(rows.remove_old):
            pass
        for name in await database.write(rows.stop_overfull):
            logger.warning("the webhook %s was switched off: too many events waited", name)

    def _begin(self, webhook_id: int) -> None:
        self._senders[webhook_id] = task = asyncio.create_task(self._send_due(webhook_id))
        task.add_done_callback(partial(self._ended, webhook_id))

    def _ended(self, webhook_id: int, task: asyncio.Task[None]) -> None:
        del self._senders[webhook_id]
        if not task.cancelled() and (error := task.exception()):
            logger.error("events could not be sent; it is tried again", exc_info=error)

    async def _send_due(self, webhook_id: int) -> None:
        sending = await asyncio.to_thread(_sending)
        async with sending.client(settings.HERMES_WEBHOOK_NETWORKS) as client:
            while claimed := await database.write(rows.claim, webhook_id, AT_ONCE):
                bodies = await database.read(events.bodies_of, claimed)
                sent = (self._sent(sending, client, *each) for each in zip(claimed, bodies, strict=True))
                outcomes = zip(claimed, await asyncio.gather(*sent), strict=True)
                # Where this fails, they are sent again when the claim has run out.
                if reason := await database.write(rows.settle, webhook_id, list(outcomes)):
                    logger.warning("the webhook %s was switched off: %s", claimed[0].webhook.name, reason)

    async def _sent(self, sending: ModuleType, client: object, delivery: WebhookDelivery, body: str) -> Outcome:
        try:
            headers = events.headers_of(delivery, body)
            outcome: Outcome = await sending.send(client, delivery.webhook.url, body, headers)
        except UnreadableSecret:
            return Outcome(None, 0, error=_UNREADABLE)
        except Exception:
            logger.exception("an event could not be sent")
            return Outcome(None, 0, error=_FAULT)
        return outcome


def _sending() -> ModuleType:
    """Load what speaks HTTP; a site without webhooks needs none of it."""
    from sessions_app.webhooks import sending

    return sending
