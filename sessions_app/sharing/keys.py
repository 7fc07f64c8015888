"""Keys of links: 256 random bits, of which the database has a digest, and the key itself sealed for its owner."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from django.urls import reverse

from sessions_app.models.sealed import UnreadableSecret, seal, unseal

_RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class NewKey:
    """What is kept of a key that was just made."""

    digest: str
    sealed: str = field(repr=False)


def make_key() -> NewKey:
    """Make a key."""
    key = secrets.token_urlsafe(_RANDOM_BYTES)
    return NewKey(digest_of(key), seal(key))


def digest_of(key: str) -> str:
    """Return the SHA-256 of a key: with so many random bits no slow hash is needed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def address_of(sealed: str) -> str | None:
    """Return the address of a link, beside the page of the chat; None where the key was sealed by another SECRET_KEY.

    Such a link works all the same.
    """
    try:
        return f"{root()}{unseal(sealed)}/"
    except UnreadableSecret:
        return None


def root() -> str:
    """Return what the addresses of all links begin with."""
    return f"{reverse('chat')}share/"
