"""What an export holds for this site alone, encrypted and authenticated with SECRET_KEY (``models.sealed``).

Nobody else can read it, and what was not sealed here, or by a site with the same key, is not believed.
"""

from __future__ import annotations

import json
from typing import Any

from sessions_app.models.sealed import UnreadableSecret, seal, unseal


def sealed(purpose: str, value: Any) -> str:
    """Return a value for this site alone; ``purpose`` says what it may be taken for."""
    return seal(json.dumps({"purpose": purpose, "value": value}, separators=(",", ":")))


def unsealed(purpose: str, text: str) -> Any:
    """Return the value that was sealed for a purpose, None where it is none that can be believed."""
    try:
        stored = json.loads(unseal(text))
    except (UnreadableSecret, ValueError):
        return None
    if not isinstance(stored, dict) or stored.get("purpose") != purpose:
        return None
    return stored.get("value")
