"""The names that models are told of servers' tools: SERVER_TOOL, of letters, digits and underscores."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable

from sessions_app.models.tool_servers import MAX_TOOL_NAME

_DIGEST = 8


def full_names(server: str, tools: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Return a name for each of a server's tools, by its own; ``taken`` are others' names.

    It does not depend on the order in which they are listed. Where two would have one name, which is rare, that which
    needs no change gets it, and the other the digest of its own name at the end.
    """
    named: dict[str, str] = {}
    used = set(taken)
    for tool in sorted(set(tools), key=lambda tool: (_cleaned(server, tool) != f"{server}_{tool}", tool)):
        name = _cleaned(server, tool)
        if name in used or len(name) > MAX_TOOL_NAME:
            digest = hashlib.sha256(f"{server}\0{tool}".encode(errors="replace")).hexdigest()[:_DIGEST]
            name = f"{name[: MAX_TOOL_NAME - _DIGEST - 1]}_{digest}"
        used.add(name)
        named[tool] = name
    return named


def _cleaned(server: str, tool: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", f"{server}_{tool}")
