"""Whom a handshake, or a request, speaks for: a Bearer token, a ticket or Django's session cookie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare

from sessions_app import database
from sessions_app.accounts.sessions import SessionStore
from sessions_app.api.auth import Caller, CookieCaller, TokenCaller, note_use_of
from sessions_app.models import ApiToken, Ticket

_BEARER = "bearer "


def address_of(scope: Mapping[str, Any]) -> str:
    """Return the address that an ASGI connection comes from; empty over a Unix socket."""
    client = scope.get("client") or [""]
    return str(client[0])


def ticket_of(scope: Mapping[str, Any]) -> str | None:
    """Return the ticket in a handshake's address; None where there is none."""
    query = parse_qs(scope.get("query_string", b"").decode("latin1"), keep_blank_values=True)
    return query["ticket"][0] if "ticket" in query else None


async def identify(headers: Iterable[tuple[bytes, bytes]], address: str, ticket: str | None = None) -> Caller | None:
    """Return who a handshake's headers, or its ticket, speak for, or None; ``address`` is the client's.

    Until it is known who asks, it waits with all that comes from the same address.

    Who sends a token or a ticket is judged by that alone: with one, the Origin may be another site's, so the
    cookie must not count.
    """
    caller = await _identify(headers, address, ticket)
    return caller and replace(caller, address=address)


async def _identify(headers: Iterable[tuple[bytes, bytes]], address: str, ticket: str | None) -> Caller | None:
    door = database.of(address)
    fields = {name: value.decode("latin1") for name, value in headers}
    authorization = fields.get(b"authorization", "")
    if authorization.lower().startswith(_BEARER):
        return await door.write(_by_token, authorization[len(_BEARER) :].strip())
    if ticket is not None:
        return await door.write(_by_ticket, ticket)
    cookie = parse_cookie(fields.get(b"cookie", "")).get(settings.SESSION_COOKIE_NAME)
    return await door.read(_by_cookie, cookie) if cookie else None


def _by_token(clear_text: str) -> TokenCaller | None:
    return _caller(ApiToken.find(clear_text))


def _caller(token: ApiToken | None) -> TokenCaller | None:
    if token is None:
        return None
    note_use_of(ApiToken.objects.filter(pk=token.pk))
    return TokenCaller(token.owner_id, token.pk, reads_only=token.reads_only, profile_id=token.profile_id)


def _by_ticket(clear_text: str) -> Caller | None:
    ticket = Ticket.redeem(clear_text)
    if ticket is None:
        return None
    if ticket.token_id is None:
        return _by_cookie(ticket.session_key)
    return _caller(ApiToken.valid().filter(pk=ticket.token_id).first())


def _by_cookie(session_key: str) -> CookieCaller | None:
    stored = SessionStore(session_key).load()
    if stored.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = get_user_model().objects.filter(pk=stored[SESSION_KEY], is_active=True).first()
    if user is None:
        return None
    current = user.get_session_auth_hash()
    known = (current, *user.get_session_auth_fallback_hash())
    if not any(constant_time_compare(stored.get(HASH_SESSION_KEY, ""), hashed) for hashed in known):
        return None
    return CookieCaller(user.pk, session_key, current)
