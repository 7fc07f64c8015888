"""What the description of the APIs over HTTP says of a route; its summary is what its handler says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from pydantic import BaseModel

Told = type[Any] | str
"""A type; or where it is, ``module:name``, if no process should load it for nothing."""


@dataclass(frozen=True, slots=True)
class About:
    """What is sent and answered, by the types that are used for it.

    ``answer`` is the JSON of a good answer, which has the status ``good``, if there is one; ``events``, where it can be
    streamed, the data of an event; ``media`` is the type of one that is neither. ``body`` is what is read of the
    request, of which ``example`` is one that is carried out; ``upload`` the field of a form that has a file. ``fields``
    are headers that count, and what they mean; ``query`` says the same of what may follow the address. ``changes``:
    whether a token that may only read is refused. ``errors`` are those that other addresses do not have, by their
    status.
    """

    answer: Told | None = None
    events: Told | None = None
    body: type[BaseModel] | None = None
    example: Any = None
    fields: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    changes: bool = False
    good: int = 200
    media: str = ""
    upload: str = ""
    errors: Mapping[int, str] = field(default_factory=dict)


def loaded(told: Told) -> Any:
    """Return a type."""
    if not isinstance(told, str):
        return told
    module, _, name = told.partition(":")
    return getattr(import_module(module), name)
