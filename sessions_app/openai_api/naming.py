"""The headers by which a program says which session it means, and that it has sent a request before."""

from __future__ import annotations

import hashlib
from typing import Any

from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.exchange import Exchange
from sessions_app.models.sessions import NAME_LENGTH
from sessions_app.turn_store.repeats import Sent

NAMING = ("x-session-id", "x-openwebui-chat-id", "x-conversation-id")
"""Headers that name a session, the first that is there."""

_KEY, _KEY_LENGTH = "idempotency-key", 255
_RETRIES = "x-stainless-retry-count"
"""How often OpenAI's clients have sent a request before."""


def session_name(exchange: Exchange) -> str | None:
    """Return what names the session, None where nothing does. Raises ApiError."""
    given = next((name for name in NAMING if exchange.fields.get(name, "").strip()), None)
    if given is None:
        return None
    value = exchange.fields[given].strip()
    if len(value) > NAME_LENGTH or not value.isprintable():
        raise ApiError(400, f"{given} must have at most {NAME_LENGTH} printable characters.", param=given)
    return value


def sent(exchange: Exchange, body: bytes, kept: dict[str, Any] | None) -> Sent:
    """Return a request as it was sent, of which ``kept`` is kept. For a thread: a body may be megabytes.

    Raises ApiError.
    """
    key = exchange.fields.get(_KEY, "").strip()
    if len(key) > _KEY_LENGTH:
        raise ApiError(400, f"{_KEY} must have at most {_KEY_LENGTH} characters.", param=_KEY)
    digest = hashlib.sha256(key.encode() + b"\0" + body).hexdigest()[:32]
    retries = exchange.fields.get(_RETRIES, "0").strip()
    return Sent(kept, digest, is_repeat=retries.isdecimal() and retries.strip("0") != "", is_keyed=bool(key))
