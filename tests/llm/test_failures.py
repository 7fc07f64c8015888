"""Retries, time-outs, and the sentences users get."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sessions_app.llm import step as stepping
from sessions_app.llm.content.rows import Row
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.providers import Providers, ProviderSettings
from sessions_app.llm.step_events import TextDelta
from tests.clock import Clock
from tests.llm.talking import CHAT, MESSAGES, RESPONSES, WIRES, Session
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

NOW = {"retry-after": "0"}
PROMPT = "a prompt nobody may log"
HOUR = 3600.0


async def ask(providers: Providers, model: str) -> str:
    """Ask once; the answer's text."""
    session = Session(providers, model)
    session.store(Row("user", PROMPT))
    return (await session.step()).text


async def refused(providers: Providers, model: str) -> ProviderError:
    """Ask once, in vain."""
    with pytest.raises(ProviderError) as failure:
        await ask(providers, model)
    return failure.value


@pytest.mark.parametrize("model", WIRES)
@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
async def test_a_passing_fault_is_tried_again(
    provider: Provider, providers: Providers, model: str, status: int
) -> None:
    provider.script(Answer(status=status, headers=NOW), Answer(status=status, headers=NOW), Answer(words=["Here."]))
    assert await ask(providers, model) == "Here."


@pytest.mark.parametrize("model", WIRES)
async def test_two_retries_are_enough(provider: Provider, providers: Providers, model: str) -> None:
    provider.script(*[Answer(status=503, headers=NOW) for _ in range(4)])
    assert (await refused(providers, model)).code == "provider"
    assert len(provider.requests) == 3


@pytest.mark.parametrize("model", WIRES)
async def test_a_connection_cut_before_the_first_word_is_tried_again(
    provider: Provider, providers: Providers, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping, "FIRST_RETRY_SECONDS", 0)
    provider.script(Answer(words=["never"], cut=0), Answer(words=["Here."]))
    assert await ask(providers, model) == "Here."


@pytest.mark.parametrize("model", WIRES)
async def test_a_kept_connection_that_was_closed_meanwhile_costs_no_pause(
    provider: Provider, providers: Providers, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping, "FIRST_RETRY_SECONDS", 3600)
    provider.script(Answer(hangs_up=True), Answer(words=["Here."]))
    assert await ask(providers, model) == "Here."
    provider.script(Answer(hangs_up=True), Answer(hangs_up=True), Answer(words=["never"]))
    assert "connection" in (await refused(providers, model)).text


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (400, "refused the request"),
        (401, "does not accept this site's API key"),
        (403, "does not accept this site's API key"),
        (404, "does not know the model"),
    ],
)
@pytest.mark.parametrize("model", WIRES)
async def test_a_refusal_is_not_tried_again(
    provider: Provider, providers: Providers, model: str, status: int, sentence: str
) -> None:
    provider.script(Answer(status=status))
    assert sentence in (await refused(providers, model)).text
    assert len(provider.requests) == 1


async def test_a_wait_beyond_the_time_out_is_not_begun(provider: Provider, providers: Providers) -> None:
    provider.script(Answer(status=429, headers={"retry-after": "3600"}))
    assert "too many requests" in (await refused(providers, CHAT)).text
    assert len(provider.requests) == 1


@pytest.mark.parametrize("model", WIRES)
@pytest.mark.parametrize("silent", [0, 1])
async def test_silence_ends_with_a_time_out(provider: Provider, model: str, silent: int, clock: Clock) -> None:
    providers = Providers(ProviderSettings(timeout=HOUR, longest_wait=10 * HOUR))
    gate = Gate()
    provider.script(Answer(words=["one ", "two"], gates={silent: gate}))
    asking = asyncio.create_task(refused(providers, model))
    await gate.reached()
    error = await clock.run_out(asking, HOUR)
    assert (error.code, error.text) == ("timeout", "The model's provider said nothing for 3600 seconds.")
    assert len(provider.requests) == 1
    await providers.aclose()


async def test_each_word_moves_the_time_out_on(provider: Provider, clock: Clock) -> None:
    providers = Providers(ProviderSettings(timeout=HOUR, longest_wait=10 * HOUR))
    session = Session(providers, RESPONSES)
    session.store(Row("user", PROMPT))
    gates = {index: Gate() for index in range(1, 4)}
    words = ["one ", "two ", "three ", "four"]
    provider.script(Answer(words=words, gates=gates))
    said: list[str] = []
    async with session.agent.step(session.transcript) as step:
        async for piece in step:
            if isinstance(piece, TextDelta):
                said.append(piece.text)
                if gate := gates.get(len(said)):
                    clock.advance(0.9 * HOUR)
                    gate.open()
    assert said == words
    await providers.aclose()


async def test_the_time_out_counts_all_retries(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(stepping, "FIRST_RETRY_SECONDS", 0)
    providers = Providers(ProviderSettings(timeout=HOUR, longest_wait=10 * HOUR, retries=1000))
    gate = Gate()
    provider.script(Answer(words=["never"], cut=0), Answer(words=["never"], cut=0), Answer(["never"], gates={0: gate}))
    asking = asyncio.create_task(refused(providers, CHAT))
    await gate.reached()
    assert (await clock.run_out(asking, HOUR)).code == "timeout"
    assert len(provider.requests) == 3
    await providers.aclose()


async def test_nobody_there(providers: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "FIRST_RETRY_SECONDS", 0)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    error = await refused(providers, CHAT)
    assert (error.code, error.text) == ("provider", "The connection to the model's provider failed.")


@pytest.mark.parametrize(
    ("model", "variable"),
    [("openai:gpt-5-mini", "OPENAI_API_KEY"), (MESSAGES, "ANTHROPIC_API_KEY"), ("ollama:llama3.2", "OLLAMA_BASE_URL")],
)
async def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch, model: str, variable: str) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    error = await refused(Providers(ProviderSettings()), model)
    assert error.text == f"The model {model} cannot be used: {variable} is not set."


async def test_a_setting_that_was_missing_may_come(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    providers = Providers(ProviderSettings())
    with monkeypatch.context() as patch:
        patch.delenv("ANTHROPIC_API_KEY")
        await refused(providers, MESSAGES)
    provider.script(Answer(words=["Here."]))
    assert await ask(providers, MESSAGES) == "Here."
    await providers.aclose()


@pytest.mark.parametrize("model", ["gpt-5-mini", "nobody:model", "", ":", "openai"])
async def test_an_unknown_model_says_what_to_set(model: str) -> None:
    error = await refused(Providers(ProviderSettings()), model)
    assert error.code == "provider"
    assert f"There is no model {model!r}" in error.text
    assert "HERMES_MODEL" in error.text


async def test_a_client_that_cannot_be_made_is_not_the_models_fault(
    providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", "carrier-pigeon://127.0.0.1")
    error = await refused(providers, CHAT)
    assert error.text == f"The model {CHAT} cannot be used; this site's log says why."


async def test_a_provider_whose_package_is_missing_says_so() -> None:
    error = await refused(Providers(ProviderSettings()), "groq:some")
    assert error.text == "The model groq:some needs a package that is not installed."


@pytest.mark.parametrize("model", WIRES)
async def test_what_users_and_logs_get_holds_nothing_of_the_prompt(
    provider: Provider, providers: Providers, model: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        provider.script(Answer(status=400))
        error = await refused(providers, model)
    told = error.text + "".join(record.getMessage() for record in caplog.records if record.name.startswith("sessions"))
    assert "127.0.0.1" not in told
    assert PROMPT not in told
    assert "loopback" not in told
