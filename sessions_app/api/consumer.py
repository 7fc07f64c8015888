"""The WebSocket at ``/ws/chat/``: one connection of one user, all of the user's sessions over it.

The consumer only carries: commands run in lanes, turns in tasks of the process (the runner), so closing the
socket stops neither, but for commands that would bring a response and nothing else. What goes out passes one bounded
queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from sessions_app import log_context
from sessions_app.api import identifying
from sessions_app.api.auth import Caller, CookieCaller, Unauthorised
from sessions_app.api.batches import Batch
from sessions_app.api.decode import Refused, Request, decode
from sessions_app.api.lanes import Lanes, lane_of
from sessions_app.api.limits import REFUSED_PAUSE, REFUSED_PER_ADDRESS, Limits, Places, address_of
from sessions_app.api.method import Call
from sessions_app.api.methods import changes, defers_events
from sessions_app.api.outbox import Outbox
from sessions_app.api.profile_subscription import ProfileSubscription
from sessions_app.api.responses import error_frame, refusal, respond
from sessions_app.api.revocation import Doorkeeper
from sessions_app.conversations.features import Denied
from sessions_app.realtime.subscriptions import Subscription
from sessions_app.turns.runner import Runner
from sessions_app.web import rendering

NOT_AUTHORISED = 4401
BINARY_FRAME = 4003
TOO_MANY_CONNECTIONS = 4029


class ChatConsumer(AsyncWebsocketConsumer):
    """One connection; lives from the handshake until the client has gone.

    ``runner``, ``doorkeeper`` and ``limits`` are the process's own, injected by ``as_asgi(...)``.
    """

    # The runner brings events to all connections of the process; a channel of each socket's own
    # would cost a task and, with Redis, a subscription.
    channel_layer_alias = None

    user_id: int
    caller: Caller | None = None
    _until_gone: ExitStack

    def __init__(self, runner: Runner, doorkeeper: Doorkeeper, limits: Limits) -> None:
        super().__init__()
        self.runner = runner
        self.doorkeeper = doorkeeper
        self.limits = limits

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Live until the socket is gone."""
        with ExitStack() as self._until_gone:
            await super().__call__(scope, receive, send)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle an event of the socket.

        Channels would call ``aclose_old_connections`` for each: 60 µs, for a thread in which none of
        our queries runs but one a turn, which gives its connection back itself (``database.shared_thread``).
        """
        handlers = {
            "websocket.connect": self.websocket_connect,
            "websocket.receive": self.websocket_receive,
            "websocket.disconnect": self.websocket_disconnect,
        }
        await handlers[message["type"]](message)

    async def connect(self) -> None:
        """Accept everybody, so that a client learns why it is closed again, but for too many of those."""
        ticket = identifying.ticket_of(self.scope)
        caller = await identifying.identify(self.scope["headers"], identifying.address_of(self.scope), ticket)
        if caller is None:
            await self._refuse(NOT_AUTHORISED)
        elif not self._takes_place(self.limits.connections, caller.user_id, settings.HERMES_CONNECTIONS_PER_USER):
            await self._refuse(TOO_MANY_CONNECTIONS)
        else:
            await self.accept()
            await self._begin(caller)

    async def _begin(self, caller: Caller) -> None:
        self.caller, self.user_id = caller, caller.user_id
        log_context.note_user(caller.user_id)
        self._server = _server(self.scope)
        self._lanes = Lanes()
        self._outbox = Outbox(
            self.base_send,
            settings.HERMES_MAX_ANSWER,
            partial(self.runner.delivery.subscriptions.pace.begin, self.user_id),
        )
        self._subscription = self._subscribed(caller)
        self.runner.connect(self._subscription)
        # Also where what follows is broken off: the server ends a handshake that takes too long.
        self._until_gone.callback(self.runner.disconnect, self._subscription)
        self.doorkeeper.add(self)
        self.runner.pool.preload()
        if isinstance(caller, CookieCaller):
            rendering.start_worker()  # a browser: it will have answers rendered
        # No command is read before: what it lists, and what it is told of afterwards, have no gap between them.
        await self.runner.delivery.ready(self.user_id)

    def _subscribed(self, caller: Caller) -> Subscription:
        """Return what is told on this connection."""
        if caller.profile_id is None:
            return Subscription(self.user_id, self._outbox.tell)
        limited = ProfileSubscription(caller, self._outbox.tell)
        self._until_gone.callback(limited.leave)
        return limited

    async def _refuse(self, code: int) -> None:
        # A client that does not close keeps its socket for a while.
        if self._takes_place(self.limits.refused, address_of(self.scope), REFUSED_PER_ADDRESS):
            await self.accept()
            await self.close(code)
        else:
            await self.close(TOO_MANY_CONNECTIONS)  # not accepted: the handshake is answered with 403

    def _takes_place(self, places: Places, key: int | str, limit: int) -> bool:
        taken = places.take(key, limit)
        if taken:
            self._until_gone.callback(places.give_back, key)
        return taken

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Begin to carry out the commands in a frame."""
        if self.caller is None:
            await asyncio.sleep(REFUSED_PAUSE)
            return
        if text_data is None:
            self._outbox.close(BINARY_FRAME)
            return
        wait = self.limits.commands.excess(self.user_id)
        if wait:
            # Nothing more is read from this client meanwhile.
            await asyncio.sleep(self.limits.commands.pause(self.user_id))
        try:
            frame = decode(text_data)
        except Refused as refused:
            await self._respond(error_frame(refused.id, refused.error))
            return
        if isinstance(frame, list):
            await self._begin_batch(self.caller, frame, wait)
        elif not wait:
            await self._enter(frame, partial(self._carry_out, self.caller, frame))
        elif frame.wants_response:
            await self._respond(refusal(frame, wait))

    async def _begin_batch(self, caller: Caller, members: list[Request | Refused], wait: float) -> None:
        """Begin to carry out the members, in their order; the first one has been counted, and must ``wait`` or not."""
        await self._outbox.room()
        batch = Batch(len(members), self._outbox.respond, self._defer_events(members))
        for number, member in enumerate(members):
            if number and (wait := self.limits.commands.excess(self.user_id)):
                await asyncio.sleep(self.limits.commands.pause(self.user_id))
            if isinstance(member, Refused):
                batch.answer(error_frame(member.id, member.error))
            elif wait:
                batch.answer(refusal(member, wait) if member.wants_response else "")
            else:
                await self._enter(member, partial(self._carry_out_member, caller, member, batch))

    def _defer_events(self, members: list[Request | Refused]) -> Callable[[], None]:
        """Defer events where the answer of a member must come first; return what ends that."""
        if not any(isinstance(member, Request) and defers_events(member.method) for member in members):
            return lambda: None
        return partial(self._subscription.end_command, self._subscription.begin_command())

    async def _enter(self, request: Request, work: Callable[[], Awaitable[None]]) -> None:
        await self._lanes.enter(lane_of(request), work, changes=changes(request.method))

    async def _respond(self, frame: str) -> None:
        await self._outbox.room()
        self._outbox.respond(frame)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        """Receive nothing more at once; what was asked to be changed is still changed, without a response."""
        if self.caller is not None:
            self.doorkeeper.remove(self)
            self.runner.disconnect(self._subscription)
            self._outbox.stop()
            await self._lanes.leave()
        raise StopConsumer

    def turn_away(self) -> None:
        """Close, because the caller may no longer act."""
        self._outbox.close(NOT_AUTHORISED)

    @property
    def denied(self) -> Denied | None:
        """What the client was last told that its user may not use; None where it has not asked."""
        return self._subscription.denied

    def tell_denied(self, denied: Denied) -> None:
        """Tell the client where that is otherwise now."""
        self._subscription.tell_denied(denied)

    async def _carry_out(self, caller: Caller, request: Request) -> None:
        await self._outbox.room()
        if self._outbox.closed:
            return
        command = self._subscription.begin_command() if defers_events(request.method) else None
        try:
            frame = await respond(self._call(caller), request)
            if request.wants_response:
                self._outbox.respond(frame)
        except Unauthorised:
            self._outbox.close(NOT_AUTHORISED)
        finally:
            if command is not None:
                self._subscription.end_command(command)

    async def _carry_out_member(self, caller: Caller, request: Request, batch: Batch) -> None:
        await self._outbox.room()
        if self._outbox.closed:
            return
        try:
            frame = batch.refusal(request) or await respond(self._call(caller), request)
        except Unauthorised:
            batch.end()
            self._outbox.close(NOT_AUTHORISED)
        else:
            batch.answer(frame if request.wants_response else "")

    def _call(self, caller: Caller) -> Call:
        return Call(caller, self._subscription, self.runner, self._server)


def _server(scope: dict[str, Any]) -> str:
    """Return the absolute address of the WebSocket, as the client has named it."""
    host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin1")
    return f"{scope.get('scheme', 'ws')}://{host}{scope['path']}"
