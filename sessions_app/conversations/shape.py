"""What all objects on the wire have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A JSON object of the contract; nothing undeclared gets in."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def is_none(value: object) -> bool:
    """Tell what is left out of an object rather than told as null."""
    return value is None
