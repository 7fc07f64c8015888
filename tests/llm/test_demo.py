"""The demo model: honest, deterministic, and it calls real tools."""

from __future__ import annotations

import pytest

from sessions_app.llm.content.rows import Row
from sessions_app.llm.demo import MAX_COMMAND_CHARACTERS
from sessions_app.llm.providers import Providers, ProviderSettings
from sessions_app.llm.step_events import TextDelta, ToolCallStart
from sessions_app.llm.usage import Usage
from tests.llm.talking import Session


@pytest.fixture
async def session() -> Session:
    return Session(Providers(ProviderSettings(demo_pause=0)), "demo")


async def test_it_says_what_it_is_and_how_to_plug_in_a_real_one(session: Session) -> None:
    text = (await session.turn("Hello!")).text
    assert "stand-in" in text
    assert "HERMES_MODEL=openai:gpt-5-mini" in text
    assert "OPENAI_API_KEY" in text
    assert "openai-chat:NAME" in text
    assert "OPENAI_BASE_URL" in text


async def test_its_markdown_has_a_heading_a_list_a_table_and_code(session: Session) -> None:
    text = (await session.turn("Hello!")).text
    assert all(mark in text for mark in ("## ", "\n- ", "\n| --- |", "\n```bash\n"))


@pytest.mark.parametrize(
    ("text", "arguments", "shown"),
    [
        ("calculate 6 * 7", '{"expression":"6 * 7"}', "42"),
        ("Calculate: sqrt(16)?", '{"expression":"sqrt(16)"}', "4"),
        ("= 2 ** 10", '{"expression":"2 ** 10"}', "1024"),
        ("What is (1 + 2) * 3?", '{"expression":"(1 + 2) * 3"}', "9"),
        ("I wonder about 12*12, you know", '{"expression":"12*12"}', "144"),
        ("calculate 9**9**9", '{"expression":"9**9**9"}', "Error: The result is too large."),
    ],
)
async def test_arithmetic_calls_the_calculator(session: Session, text: str, arguments: str, shown: str) -> None:
    answer = (await session.turn(text)).text
    assert session.results[0].calls[0].name == "calculator"
    assert session.results[0].calls[0].arguments == arguments
    assert shown in answer


@pytest.mark.parametrize(
    "text", ["search balloon", "Find: balloon?", "search for balloon", "find my chats for balloon"]
)
async def test_a_search_searches_the_users_own_chats(session: Session, text: str) -> None:
    answer = (await session.turn(text)).text
    assert session.results[0].calls[0].arguments == '{"query":"balloon"}'
    assert "> 1: balloon" in answer


@pytest.mark.parametrize(
    "text", ["calculate the cost of love", "I was born on 1990-ish", "well-known: 5", "searching", ""]
)
async def test_other_texts_call_nothing(session: Session, text: str) -> None:
    session.store(Row("user", text))
    assert (await session.step()).calls == ()


@pytest.mark.parametrize("command", ["calculate 1 + 1", "search balloon", "7 * 6"])
async def test_a_long_text_calls_nothing_whatever_it_asks_for(session: Session, command: str) -> None:
    session.store(Row("user", command + " " * (MAX_COMMAND_CHARACTERS - len(command))))
    assert (await session.step()).calls
    session.store(Row("user", command + " " * (MAX_COMMAND_CHARACTERS - len(command) + 1)))
    assert (await session.step()).calls == ()


async def test_no_text_comes_before_a_tool_call(session: Session) -> None:
    await session.turn("calculate 1 + 1")
    kinds = [type(event) for event in session.events]
    assert kinds.index(ToolCallStart) < kinds.index(TextDelta)
    assert session.results[0].text == ""


async def test_the_same_history_gets_the_same_answer(session: Session) -> None:
    other = Session(Providers(ProviderSettings(demo_pause=0)), "demo")
    for one in (session, other):
        await one.turn("calculate 1 + 1")
        await one.turn("Hello!")
    assert session.events == other.events
    assert session.rows == other.rows


async def test_it_streams_in_small_pieces_and_counts_no_tokens(session: Session) -> None:
    result = await session.turn("Hello!")
    assert len(session.events) > 40
    assert (result.usage, result.provider, result.model) == (Usage(), "demo", "demo")


async def test_without_tools_in_the_prefix_it_calls_none() -> None:
    from sessions_app.llm.content.prefix import freeze

    session = Session(Providers(ProviderSettings(demo_pause=0)), "demo", prefix=freeze("", []))
    assert (await session.turn("calculate 1 + 1")).calls == ()
