"""A turn is one trace without a word of what was said; a collector that is away costs a turn nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from blockbuster import BlockBuster

from sessions_app import tracing
from sessions_app.models import TurnStatus
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.thorough import thorough
from tests.tracing.collector import Collector, attributes, collecting
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, idle, within

pytestmark = pytest.mark.one_database

CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


async def begin(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    await asyncio.to_thread(tracing.begin)


@pytest_asyncio.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    async with collecting() as running:
        await begin(running.url, monkeypatch)
        yield running
        await asyncio.to_thread(tracing.close)


async def flushed(collector: Collector) -> Collector:
    await asyncio.to_thread(tracing.close)
    return collector


async def test_a_turn_is_a_trace_of_its_parts(
    host: Host, session: NewSession, provider: Provider, collector: Collector
) -> None:
    chat = await session("secret title")
    provider.script(Answer(calls=[CALCULATE]), Answer(["a secret answer"]))
    turn = await host.turn(chat, "a secret question")
    await idle(host)
    await flushed(collector)
    [root] = collector.named("invoke_agent")
    assert not root.parent_span_id
    told = attributes(root)
    assert told["gen_ai.operation.name"] == "invoke_agent"
    assert told["hermes.run_id"] == str(turn.run_id)
    assert told["gen_ai.conversation.id"] == str(chat)
    assert told["hermes.turn.status"] == "complete"
    parts = [span.name for span in collector.spans if span.parent_span_id == root.span_id]
    assert sorted(parts) == [
        "chat loopback",
        "chat loopback",
        "execute_tool calculator",
        "guard",
        "rebaseline",
        "store_end",
    ]
    assert {span.trace_id for span in collector.spans} == {root.trace_id}
    guard, tool = attributes(collector.named("guard")[0]), attributes(collector.named("execute_tool")[0])
    assert (guard["hermes.guard.agent"], guard["hermes.guard.reason"]) == (turn.guard_agent, turn.guard_reason)
    assert tool["gen_ai.tool.name"] == "calculator"
    requests = [attributes(span) for span in collector.named("chat ")]
    assert [each["gen_ai.response.finish_reasons"] for each in requests] == [["tool_calls"], ["stop"]]
    assert {each["gen_ai.provider.name"] for each in requests} == {"openai"}
    for name in ("input_tokens", "output_tokens", "cache_read.input_tokens"):
        assert all(isinstance(each[f"gen_ai.usage.{name}"], int) for each in requests)
    assert sum(each["gen_ai.usage.input_tokens"] for each in requests) == turn.input_tokens
    assert collector.services == {"hermes-site"}
    assert b"secret" not in collector.raw
    assert b"6 * 7" not in collector.raw


async def test_a_failed_request_says_its_kind_and_the_next_turn_is_another_trace(
    host: Host, session: NewSession, provider: Provider, collector: Collector
) -> None:
    chat = await session()
    provider.script(Answer(status=403), Answer(["fine"]))
    failing = asyncio.create_task(host.turn(chat, "one"))
    assert (await within(failing)).status == TurnStatus.FAILED
    tracing.follow([(b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")])
    await host.turn(chat, "two")
    await idle(host)
    await flushed(collector)
    first, second = sorted(collector.named("invoke_agent"), key=lambda span: int(span.start_time_unix_nano))
    assert second.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert second.parent_span_id.hex() == "b7ad6b7169203331"
    assert first.trace_id != second.trace_id
    [failed] = [span for span in collector.named("chat ") if span.trace_id == first.trace_id]
    assert attributes(failed)["error.type"] == "provider"
    assert failed.status.code == 2
    assert not failed.events


@pytest.mark.parametrize("way", ["down", thorough("hangs")])
async def test_a_collector_that_is_away_costs_a_turn_nothing(
    host: Host,
    session: NewSession,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    blockbuster: BlockBuster,
) -> None:
    monkeypatch.setattr(tracing, "FLUSH_SECONDS", 0.5)
    async with collecting() as collector:
        collector.hangs = way == "hangs"
        await begin(collector.url if collector.hangs else "http://127.0.0.1:1", monkeypatch)
        provider.script(Answer(["one"]), Answer(["two"]))
        chat = await session()
        assert (await host.turn(chat)).status == TurnStatus.COMPLETE
        closing = asyncio.create_task(asyncio.to_thread(tracing.close))
        if collector.hangs:
            await within(collector.asked.wait())
        assert (await host.turn(chat)).status == TurnStatus.COMPLETE
        began = time.monotonic()
        await within(closing)
        assert time.monotonic() - began < 5


def test_nothing_of_it_is_loaded_where_no_traces_are_wanted() -> None:
    """Nor does anything of a turn ask for it."""
    assert tracing.start("x", {}) is tracing.start("y", {})
