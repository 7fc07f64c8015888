"""Secrets that are kept encrypted in the database: sealed with SECRET_KEY, and read with the earlier keys too."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE = b"hermes-site: keys of model servers"


class UnreadableSecret(Exception):
    """What is kept was sealed with a key that is neither SECRET_KEY nor among SECRET_KEY_FALLBACKS."""


def seal(secret: str) -> str:
    """Return what is kept of a secret."""
    return _fernets((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the secret that was sealed. Raises UnreadableSecret."""
    try:
        return _fernets((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise UnreadableSecret from None


@lru_cache(maxsize=4)
def _fernets(keys: tuple[str, ...]) -> MultiFernet:
    """Return what seals with the first key and reads with each."""
    return MultiFernet([Fernet(urlsafe_b64encode(_derived(key))) for key in keys])


def _derived(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
