"""What OpenAI says itself of why its cache had less, beside what the host found out by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.cache_ledger.diagnoses import Diagnosis, diagnosis_of
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.live_model import OPENAI, LiveModel
from sessions_app.llm.providers import Providers
from sessions_app.llm.tools.registry import site_tools
from sessions_app.llm.wire.splicing import dumped
from tests.llm.talking import CHAT, PREFIX, RESPONSES, Session, extends
from tests.providers.fixtures import Provider

DIAGNOSING, ANOTHER = "openai:gpt-5.6", "openai:gpt-6-astra"
# More tokens than may be missing without a cause, and enough for OpenAI to cache them.
LONG = "as long as it takes " * 300
FROZEN = replace(PREFIX, system_prompt=f"You are helpful. {LONG}")
FEWER_TOOLS = replace(site_tools().freeze("", ["calculator"]), system_prompt=FROZEN.system_prompt)


@pytest.fixture(autouse=True)
def openais_own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback provider counts as OpenAI's own server, which alone is asked."""
    monkeypatch.setattr(LiveModel, "base_url", f"{OPENAI}/v1/")


def options(body: bytes) -> Any:
    return json.loads(body).get("prompt_cache_options")


def read_again(session: Session, **changes: Any) -> None:
    """Read the session's rows again, with something changed."""
    given: dict[str, Any] = {"prefix": session.prefix, "model": session.model, "rows": session.rows, **changes}
    last = session.transcript.last
    session.transcript = CachedTranscript(session.id, given["prefix"], given["model"], given["rows"], last=last)


@pytest.mark.parametrize(
    ("change", "cause", "told"),
    [
        ({}, None, ""),
        ({"model": ANOTHER}, Cause.MODEL, "model_changed"),
        ({"prefix": FEWER_TOOLS}, Cause.TOOLS, "tools_changed"),
        ({"prefix": replace(PREFIX, system_prompt=f"Be brief. {LONG}")}, Cause.PROMPT, "input_changed"),
        ({"rows": "edited"}, Cause.EDITED, "input_changed"),
    ],
)
async def test_the_provider_and_the_host_name_the_same_cause(
    provider: Provider, providers: Providers, change: dict[str, Any], cause: Cause | None, told: str
) -> None:
    session = Session(providers, DIAGNOSING, prefix=FROZEN)
    for _ in range(2):
        await session.turn(LONG)
    if change.get("rows"):
        change = {"rows": [replace(session.rows[0], text=f"edited {LONG}"), *session.rows[1:]]}
    read_again(session, **change)
    entry = (await session.turn(LONG)).entry
    assert entry is not None
    assert (entry.miss, entry.told) == (cause, told)


async def test_requests_that_do_not_differ_leave_the_hosts_own_cause(provider: Provider, providers: Providers) -> None:
    session = Session(providers, DIAGNOSING)
    await session.turn(LONG)
    provider.evict()
    entry = (await session.turn("again")).entry
    assert entry is not None
    assert (entry.miss, entry.told) == (Cause.EVICTED, "")


async def test_a_request_names_the_last_answer_and_changes_nothing_else(
    provider: Provider, providers: Providers
) -> None:
    session = Session(providers, DIAGNOSING)
    for _ in range(3):
        await session.turn(LONG)
    first, *later = provider.bodies
    assert options(first) is None
    named = [options(body)["comparison_response_id"] for body in later]
    assert len(set(named)) == 2
    assert all(name.startswith("resp_") for name in named)
    entries = [result.entry for result in session.results]
    assert len({entry.prefix for entry in entries if entry}) == 1
    without = [dumped({**json.loads(body), "prompt_cache_options": None}) for body in later]
    assert extends(without[1], without[0])


async def test_it_is_asked_for_across_processes(provider: Provider, providers: Providers) -> None:
    session = Session(providers, DIAGNOSING)
    await session.turn(LONG)
    session.forget()
    await session.turn("again")
    assert options(provider.bodies[-1])["comparison_response_id"].startswith("resp_")


@pytest.mark.parametrize("model", [CHAT, RESPONSES])
async def test_models_that_do_not_tell_are_not_asked(provider: Provider, providers: Providers, model: str) -> None:
    session = Session(providers, model)
    for _ in range(2):
        await session.turn(LONG)
    assert [options(body) for body in provider.bodies] == [None, None]


async def test_other_servers_are_not_asked(
    provider: Provider, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveModel, "base_url", provider.base_url)
    session = Session(providers, DIAGNOSING)
    for _ in range(2):
        await session.turn(LONG)
    assert [options(body) for body in provider.bodies] == [None, None]


@pytest.mark.parametrize(
    ("response_id", "details"),
    [
        (None, None),
        (5, {}),
        ("chatcmpl-1", {"prompt_cache_diagnostics": None}),
        ("resp_\n", {"prompt_cache_diagnostics": "cache_miss"}),
        ("resp_" + "x" * 300, {"prompt_cache_diagnostics": {"type": "cache_hit", "reason": "tools_changed"}}),
        ("", {"prompt_cache_diagnostics": {"type": "cache_miss", "reason": "<b>"}}),
        ("", {"prompt_cache_diagnostics": {"type": "unavailable"}}),
    ],
)
def test_what_cannot_be_is_not_believed(response_id: object, details: dict[str, Any] | None) -> None:
    assert diagnosis_of(response_id, details) == Diagnosis()
