"""The agent as a whole."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sessions_app.agents.agent import build_agent, signature
from sessions_app.agents.memory import Transcript
from sessions_app.agents.pieces import ToolCall
from sessions_app.agents.providers import Providers, ProviderSettings

from .talking import PREFIX, found

SIGNATURE = "from sessions_app.agents.agent import signature; print(signature())"
LIGHT = """
import sys
import sessions_app.agents.agent, sessions_app.agents.history, sessions_app.agents.tools
print([name for name in ("pydantic_ai", "openai", "anthropic", "httpx2") if name in sys.modules])
"""


def python(script: str, seed: str = "0") -> str:
    """What a fresh Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
    )
    return done.stdout.strip()


def test_every_process_has_the_same_signature() -> None:
    assert {python(SIGNATURE, seed) for seed in ("1", "2")} == {signature()}


def test_nothing_heavy_is_imported_before_a_turn_needs_it() -> None:
    assert python(LIGHT) == "[]"


async def test_a_closed_agent_refuses_to_work() -> None:
    agent = build_agent(1, providers=Providers(ProviderSettings()), search=found)
    await agent.aclose()
    with pytest.raises(RuntimeError):
        agent.step(Transcript("s", PREFIX, "demo"))
    with pytest.raises(RuntimeError):
        await agent.call(ToolCall("1", "calculator", "{}"))
