"""A real engine: llama.cpp's server on loopback, as a process of its own (`python -m tests.engine.server MODEL.gguf`).

It keeps what it has read in four slots and, beyond them, in the machine's memory (its default), and counts what it
evaluated and what it had. Temperature 0, one seed, an answer of as many tokens as the alphabet has.
"""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path
from typing import NamedTuple

import httpx2

from tests.engine.model import CONTEXT, LETTERS
from tests.processes import PATIENCE, Process

SLOTS = 4
"""Prompts that are read at once."""


class Count(NamedTuple):
    """Tokens of prompts that an engine had to evaluate, and that it had in its cache."""

    evaluated: int = 0
    cached: int = 0

    @property
    def sent(self) -> int:
        """All of them."""
        return self.evaluated + self.cached

    def since(self, before: Count) -> Count:
        """What has been counted after another count."""
        return Count(self.evaluated - before.evaluated, self.cached - before.cached)


class Engine:
    """A running engine with an empty cache; `url` is for OPENAI_BASE_URL. `close` it."""

    def __init__(self, model: Path) -> None:
        self.process = Process([sys.executable, "-m", "tests.engine.server", str(model)])
        self._root = self.process.line("engine at").split()[-1]
        self.url = f"{self._root}/v1"

    def count(self) -> Count:
        """Tokens since its start, by its own account."""
        told = httpx2.get(f"{self._root}/metrics", timeout=PATIENCE).text
        figures = dict(re.findall(r"^llamacpp:prompt_tokens_(cached_total|total) (\d+)$", told, re.MULTILINE))
        return Count(int(figures["total"]), int(figures["cached_total"]))

    def text(self, body: dict[str, object]) -> str:
        """A request's prompt as the model reads it."""
        answer = httpx2.post(f"{self._root}/apply-template", json=body, timeout=PATIENCE)
        prompt: str = answer.json()["prompt"]
        return prompt

    def close(self) -> None:
        """Let it go, with all that it has in memory."""
        self.process.kill()


def serve(model: str) -> None:
    """Print the address and serve until killed."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx, params.n_parallel, params.n_predict = CONTEXT, SLOTS, len(LETTERS)
    params.sampling.temp, params.sampling.seed = 0, 1
    params.endpoint_metrics = True
    params.warmup = params.fit_params = params.ui = False
    # Two threads that wait for each other stand still as soon as a third program has one of two cores.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    # Errors only: its log is written by a thread of its own, in the middle of other lines.
    params.verbosity = 1
    server = xllamacpp.Server(params)
    print(f"engine at {server.listening_address}", flush=True)
    signal.pause()


if __name__ == "__main__":
    serve(sys.argv[1])
