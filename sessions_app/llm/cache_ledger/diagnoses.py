"""What a provider itself says of why its cache had less: OpenAI's `prompt_cache_diagnostics`.

It compares a request with the one whose answer it is told the id of. By its documentation that is free, changes nothing
of what it caches, and needs no stored response.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_RESPONSE_ID = re.compile(r"resp_[A-Za-z0-9_-]{1,200}")
_REASON = re.compile(r"[a-z_]{1,40}")
_MISS = "cache_miss"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The id of an answer, for the next request to be compared with, and the provider's reason for a miss.

    Either is empty where the provider has said none, or what none can be.
    """

    response: str = ""
    reason: str = ""


def diagnosis_of(response_id: object, details: Mapping[str, Any] | None) -> Diagnosis:
    """Read what Pydantic AI has kept of an answer: its id and `provider_details`."""
    told = (details or {}).get("prompt_cache_diagnostics")
    reason = told.get("reason") if isinstance(told, dict) and told.get("type") == _MISS else None
    return Diagnosis(_matching(_RESPONSE_ID, response_id), _matching(_REASON, reason))


def _matching(pattern: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def sentence(reason: str) -> str:
    """A provider's reason in words: `tools_changed` is "tools changed"."""
    return reason.replace("_", " ")
