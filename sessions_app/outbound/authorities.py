"""What certificates of servers are held against; made once, for it reads files, for 20 ms: not in an event loop."""

from __future__ import annotations

import ssl
from functools import cache

import httpx2


@cache
def site_authorities() -> ssl.SSLContext:
    """Return those that the operator trusts: of the environment (SSL_CERT_FILE), else of the system."""
    return httpx2.create_ssl_context()


@cache
def public_authorities() -> ssl.SSLContext:
    """Return those that the system trusts, whatever the environment says."""
    return httpx2.create_ssl_context(trust_env=False)
