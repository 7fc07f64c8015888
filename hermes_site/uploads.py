"""Where files are sent, and how long a body may be there and elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from hermes_site.admission import Admits

MAX_BODY = 3 * 1024 * 1024
"""Bytes; Django's own bound for a form is 2.5 MB."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where files are sent, the bytes of the largest body there, and what is said of a larger one."""

    path: str
    longest: int
    refusal: str


@dataclass(frozen=True, slots=True)
class Uploads:
    """The places where files are sent.

    ``conversation``: bytes of a body for the APIs over HTTP. Programs send all that was said each time, with its files.
    ``admits``: who may send a file, or a body of the APIs that is longer than others; None: everybody.
    """

    places: tuple[Place, ...] = ()
    conversation: int = MAX_BODY
    admits: Admits | None = None
