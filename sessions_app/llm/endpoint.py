"""A server of the operator's own that speaks OpenAI's API: its address, and the key that it wants."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a profile's model answers, if not where the environment says. The key is in no text made of it."""

    base_url: str
    api_key: str = field(default="", repr=False)
