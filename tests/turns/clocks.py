"""The host's clock and that of the provider's cache, in the test's hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sessions_app.llm import agent, step
from sessions_app.turns import refreshing
from tests.providers.fixtures import Provider

MINUTE = 60.0


class Clocks:
    """Both stand still until ``wait``."""

    def __init__(self, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
        self._provider, self._now = provider, 1_000_000.0
        for module in (agent, step, refreshing):
            monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: self._now))

    def wait(self, seconds: float) -> None:
        self._now += seconds
        self._provider.wait(seconds)
