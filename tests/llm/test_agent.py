"""The agent as a whole."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sessions_app.llm.agent import Agent, signature
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.providers import Providers, ProviderSettings
from sessions_app.llm.tools.registry import site_tools
from sessions_app.llm.tools.sources import Context
from tests.llm.talking import PREFIX, found, remembers

SIGNATURE = """
from sessions_app.llm.agent import signature
from sessions_app.llm.tools.registry import site_tools
print(signature(site_tools()))
"""
LIGHT = """
import sys
import sessions_app.llm.agent, sessions_app.llm.content.history, sessions_app.llm.tools.registry
print([name for name in ("pydantic_ai", "openai", "anthropic", "httpx2") if name in sys.modules])
"""


def python(script: str, seed: str = "0") -> str:
    """What a fresh Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
    )
    return done.stdout.strip()


def test_every_process_has_the_same_signature() -> None:
    assert {python(SIGNATURE, seed) for seed in ("1", "2")} == {signature(site_tools())}


def test_nothing_heavy_is_imported_before_a_turn_needs_it() -> None:
    assert python(LIGHT) == "[]"


async def test_a_closed_agent_refuses_to_work() -> None:
    agent = Agent(Providers(ProviderSettings()), site_tools(), Context(1, found, remembers))
    transcript = CachedTranscript("s", PREFIX, "demo")
    await agent.aclose()
    with pytest.raises(RuntimeError):
        agent.step(transcript)
    with pytest.raises(RuntimeError):
        await agent.call(transcript, ToolCall("1", "calculator", "{}"))


async def test_a_tool_that_the_session_does_not_have_is_not_run() -> None:
    agent = Agent(Providers(ProviderSettings()), site_tools(), Context(1, found, remembers))
    transcript = CachedTranscript("s", site_tools().freeze("x", ["search_chats"]), "demo")
    told = await agent.call(transcript, ToolCall("1", "calculator", '{"expression": "6 * 7"}'))
    assert told.text == "Error: there is no tool 'calculator'."
