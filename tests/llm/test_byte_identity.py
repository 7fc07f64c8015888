"""Turn after turn, a request repeats the last one byte for byte and then says a little more."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

import pytest
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import override_allow_model_requests

from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.rows import Row
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.preserialize import KNOWN_ROW_SHARE, MAPPED_ROW_SHARE
from sessions_app.llm.providers import Providers, ProviderSettings
from sessions_app.llm.wire.unexamined import examine_nothing
from tests.llm.talking import WIRES, Session, extends
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call

pytestmark = pytest.mark.parametrize("model", WIRES)

CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


def think_then_call_then_say() -> list[Answer]:
    """The answers of one turn: reasoning with a tool call, then reasoning with words."""
    return [
        Answer(reasoning=["Let ", "me see."], calls=[CALCULATE]),
        Answer(reasoning=["So."], words=["It ", "is ", "42."]),
    ]


async def test_each_request_extends_the_last(provider: Provider, providers: Providers, model: str) -> None:
    session = Session(providers, model)
    for number in range(4):
        provider.script(*think_then_call_then_say())
        await session.turn(f"Äh, number {number}? \u2028 🎈")
    bodies = provider.bodies
    assert len(bodies) == 8
    assert all(extends(later, earlier) for earlier, later in itertools.pairwise(bodies))


async def test_a_body_is_the_one_that_the_sdk_makes_when_it_looks_at_each_message(
    provider: Provider, providers: Providers, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = []
    for examine in (examine_nothing, lambda _: None):
        monkeypatch.setattr("sessions_app.llm.live_model.examine_nothing", examine)
        made = Providers(providers.settings)
        session = Session(made, model)
        provider.script(
            Answer(reasoning=["So."], calls=[CALCULATE]), Answer(words=["It is 42."]), Answer(words=["Yes."])
        )
        await session.turn("What is six times seven? \u2028 🎈")
        await session.turn("Really?")
        # But for ids, which the provider here counts.
        bodies.append([re.sub(rb"_\d{8}", b"", body) for body in provider.bodies[-3:]])
        await made.aclose()
    assert bodies[0] == bodies[1]


async def test_the_provider_finds_the_whole_last_request_in_its_cache(
    provider: Provider, providers: Providers, model: str
) -> None:
    session = Session(providers, model)
    first = await session.turn("one")
    second = await session.turn("two")
    assert first.usage.cached_tokens == 0
    # A token is four bytes of the prompt, and the list's closing bracket is where the next element begins.
    assert first.usage.input_tokens - second.usage.cached_tokens <= 1


async def test_hopping_among_sessions_changes_nothing(provider: Provider, providers: Providers, model: str) -> None:
    one, other = Session(providers, model, id="one"), Session(providers, model, id="other")
    for number in range(3):
        await one.turn(f"one {number}")
        await other.turn(f"other {number}")
    bodies = provider.bodies
    assert all(extends(bodies[index + 2], bodies[index]) for index in range(4))


async def test_reading_the_rows_again_changes_nothing(provider: Provider, providers: Providers, model: str) -> None:
    session = Session(providers, model)
    provider.script(*think_then_call_then_say())
    await session.turn("first")
    provider.script(Answer(words=["half "]))
    await session.turn("second")
    before = provider.bodies[-1]
    session.forget()
    await session.turn("third")
    assert extends(provider.bodies[-1], before)


async def test_another_process_sends_the_same_bytes(provider: Provider, providers: Providers, model: str) -> None:
    session = Session(providers, model)
    provider.script(*think_then_call_then_say())
    await session.turn("first")
    await session.turn("second")
    restarted = Providers(ProviderSettings())
    other = Session(restarted, model, rows=session.rows[:-1])
    await other.step()
    assert provider.bodies[-1] == provider.bodies[-2]
    await restarted.aclose()


async def test_a_long_transcript_read_in_slices_is_the_same(
    provider: Provider, providers: Providers, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(providers, model)
    for number in range(45):
        provider.script(*(think_then_call_then_say() if number % 3 == 0 else [Answer(words=[f"Yes {number}."])]))
        await session.turn(f"number {number}")
    session.forget()
    sent = len(provider.bodies)
    work = Work(monkeypatch)
    await session.turn("and now?")
    assert len(provider.bodies) == sent + 1
    assert extends(provider.bodies[-1], provider.bodies[-2])
    # Of each turn with a tool its call and the result, and a few rows for their templates.
    assert 30 <= sum(work.mapped) <= 40
    assert max(work.mapped) <= 1 / MAPPED_ROW_SHARE + 3


async def test_however_long_the_conversation_the_sdk_maps_as_many_rows_and_no_slice_is_longer(
    provider: Provider, providers: Providers, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work(monkeypatch)
    for count in (40, 1_000):
        said = [Row("assistant" if number % 2 else "user", f"number {number}") for number in range(count)]
        await Session(providers, model, rows=[*said, Row("user", "and now?")]).step()
        assert f"number {count - 1}".encode() in provider.bodies[-1]
    assert work.mapped == [2, 2]
    assert max(work.kept) <= 1 / KNOWN_ROW_SHARE + 2


class Work:
    """From now on: the rows that are given to the SDK ahead of requests, and the rows of each slice that is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mapped: list[int] = []
        self.kept: list[int] = []
        messages, keep = CachedTranscript.messages, CachedTranscript.keep

        def counted_messages(transcript: CachedTranscript, sections: Sequence[Sequence[Row]]) -> list[ModelMessage]:
            if not sections[-1]:  # a request that is to be sent has none that is empty
                self.mapped.append(sum(map(len, sections)))
            return messages(transcript, sections)

        def counted_keep(transcript: CachedTranscript, made: Iterable[tuple[int, Sequence[bytes]]]) -> None:
            groups = list(made)
            self.kept.append(sum(count for count, _ in groups))
            keep(transcript, groups)

        monkeypatch.setattr(CachedTranscript, "messages", counted_messages)
        monkeypatch.setattr(CachedTranscript, "keep", counted_keep)


async def test_a_retry_sends_the_same_bytes(provider: Provider, providers: Providers, model: str) -> None:
    session = Session(providers, model)
    await session.turn("one")
    provider.script(Answer(status=503, headers={"retry-after": "0"}), Answer(words=["two"]))
    await session.turn("two")
    assert provider.bodies[1] == provider.bodies[2]


async def test_what_failed_before_the_wire_is_not_lost(provider: Provider, providers: Providers, model: str) -> None:
    session = Session(providers, model)
    await session.turn("one")
    session.store(Row("user", "two"))
    with override_allow_model_requests(False), pytest.raises(ProviderError):
        await session.step()
    await session.step()
    assert extends(provider.bodies[1], provider.bodies[0])
    assert b"two" in provider.bodies[1]


async def test_a_failed_turn_leaves_the_prefix_alone(provider: Provider, providers: Providers, model: str) -> None:
    session = Session(providers, model)
    await session.turn("one")
    provider.script(Answer(words=["half ", "of it"], cut=1))
    session.store(Row("user", "two"))
    with pytest.raises(ProviderError):
        await session.step()
    session.store(Row("assistant", session.results[-1].text, session.results[-1].parts, "failed"))
    await session.turn("three")
    assert session.results[-2].text == "half "
    assert extends(provider.bodies[2], provider.bodies[1])
