"""The `provider` fixture: the loopback provider in a thread of its own, so that a blocked test loop cannot block it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from .script import Answer
from .server import Recorded, Server
from .tokens import Counted


class Provider:
    """A running loopback provider, as a test sees it. `close` it."""

    def __init__(self, server: Server | None = None) -> None:
        self._server = server or Server()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loopback provider")
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result()

    @property
    def base_url(self) -> str:
        """For `OPENAI_BASE_URL` and `OLLAMA_BASE_URL`; Anthropic's client adds `/v1` itself."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def anthropic_url(self) -> str:
        """For `ANTHROPIC_BASE_URL`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Recorded]:
        """Every request so far, oldest first."""
        return list(self._server.requests)

    @property
    def bodies(self) -> list[bytes]:
        """The raw bodies of every request so far."""
        return [recorded.body for recorded in self._server.requests]

    @property
    def totals(self) -> list[int]:
        """The tokens of every request and its answer, as the provider counted them."""
        return list(self._server.totals)

    @property
    def counts(self) -> list[Counted]:
        """The tokens of every request as the provider counted them, by what its cache did with them."""
        return list(self._server.counts)

    def wait(self, seconds: float) -> None:
        """Let time pass for Anthropic's cache."""
        self._server.seconds += seconds

    def script(self, *answers: Answer) -> None:
        """Answer the coming requests with these, in order; those after them with five words."""
        self._server.queue.extend(answers)

    def keep_limits(self) -> None:
        """Have answers no longer than requests want them, as real providers do."""
        self._server.keeps_limits = True

    def forget(self) -> None:
        """Forget what was scripted and not yet asked for, and what was asked."""
        self._server.queue.clear()
        self._server.requests.clear()

    def evict(self) -> None:
        """Forget every prompt, as providers do."""
        self._loop.call_soon_threadsafe(self._server.evict)

    def close(self) -> None:
        """Drop every connection and end the thread."""
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A loopback provider, with the providers' own environment variables pointing at it."""
    running = Provider()
    monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "loopback")
    monkeypatch.setenv("OLLAMA_BASE_URL", running.base_url)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", running.anthropic_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "loopback")
    yield running
    running.close()
