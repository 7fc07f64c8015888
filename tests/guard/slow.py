"""Agents that take their time to be built, as one that loads a large model would."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agentcache import AgentCache


def slow_builds(monkeypatch: pytest.MonkeyPatch, wait: Callable[[], Awaitable[object]]) -> None:
    """Make every build of every cache wait first."""
    use = AgentCache.use

    def slowly(self: Any, key: str, signature: str, build: Any, *, session_id: str) -> Any:
        async def wait_and_build() -> Any:
            await wait()
            return await build()

        return use(self, key, signature, wait_and_build, session_id=session_id)

    monkeypatch.setattr(AgentCache, "use", slowly)
