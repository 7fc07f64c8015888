"""Large frames go out compressed to clients that offer permessage-deflate, each by itself; all others as they are.

Each by itself: so nothing is kept between two frames, and no frame's length tells what was said before it. What fits
into a packet stays as it is, which are the events of an answer; so does what would hold the event loop up. What many
connections are told is compressed once. decision 60 has the figures.
"""

import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept

LEAST, MOST = 1_400, 256 * 1024
"""Bytes of a frame that is compressed: more than a packet has room for, and no more than 2 ms of work."""

_LEVEL, _MEMORY = 1, 8
# What an empty block ends with, which the other side adds again (RFC 7692, 7.2.1).
_TAIL = 4
# Texts whose compressed form is kept for the next connections that are told the same.
_KEPT = 4


def accept(offers: Iterable[Any]) -> PerMessageDeflateOfferAccept | None:
    """Return how to accept the first offer that can be, None where there is none: nothing is compressed then."""
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            # A server may ask for it of every client (RFC 7692, 7.1.1.2), which autobahn does not believe.
            offer.accept_no_context_takeover = True
            options = {"request_no_context_takeover": True, "no_context_takeover": True}
            return PerMessageDeflateOfferAccept(offer, **options)  # type: ignore[no-untyped-call]
    return None


def fits(size: int) -> bool:
    """Whether a text of so many bytes is worth it."""
    return LEAST <= size <= MOST


@lru_cache(_KEPT)
def deflated(text: str, window_bits: int) -> bytes:
    """Return a text as the payload of a compressed frame."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -window_bits, _MEMORY)
    return (compressor.compress(text.encode()) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-_TAIL]
