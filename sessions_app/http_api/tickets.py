"""`POST /api/ticket`: what lets one WebSocket in, as whoever asked for it."""

from __future__ import annotations

import json

from sessions_app.api.auth import Caller
from sessions_app.http_api.exchange import Exchange
from sessions_app.models.tickets import LIFETIME


async def issue(exchange: Exchange, caller: Caller) -> None:
    """Make a ticket, good for one WebSocket handshake within 30 seconds, as whoever asks. Raises Unauthorised."""
    body = {"ticket": await caller.issue_ticket(), "expires_in": int(LIFETIME.total_seconds())}
    await exchange.answer(json.dumps(body).encode())
