"""The live models of this process: one client per model string, shared by every agent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """HERMES_PROVIDER_TIMEOUT (seconds without a word), HERMES_PROVIDER_RETRIES, the demo model's pauses (seconds)."""

    timeout: float = 120.0
    retries: int = 2
    demo_pause: float = 0.018


class Providers:
    """Process-wide; belongs to the event loop that uses it. Clients are made when a step first needs them."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.settings = settings

    async def aclose(self) -> None:
        """Close every client; steps under way fail."""
        raise NotImplementedError
