"""`POST /api/ticket`: what lets one WebSocket in, as whoever asked for it."""

from __future__ import annotations

from pydantic import BaseModel

from sessions_app.api.auth import Caller
from sessions_app.http_api.about import About
from sessions_app.http_api.exchange import Exchange
from sessions_app.models.tickets import LIFETIME


class TicketAnswer(BaseModel):
    """A ticket, and for how many seconds it is good."""

    ticket: str
    expires_in: int


ABOUT = About(answer=TicketAnswer)


async def issue(exchange: Exchange, caller: Caller) -> None:
    """Make a ticket, good for one WebSocket handshake within 30 seconds, as whoever asks. Raises Unauthorised."""
    ticket = await caller.issue_ticket()
    answer = TicketAnswer(ticket=ticket, expires_in=int(LIFETIME.total_seconds()))
    await exchange.answer(answer.model_dump_json().encode())
