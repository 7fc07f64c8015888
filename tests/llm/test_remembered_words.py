"""What a model is told of a memory: whatever a text says, it ends neither its line nor the list."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.llm.content.memory import EMPTY, OFF, digest_of, listed, note_of, one_line
from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.content.prefix import FrozenPrefix, with_own_words
from sessions_app.llm.tools.registry import site_tools
from sessions_app.llm.tools.sources import Context
from tests.llm.talking import found

LINES = st.lists(st.text(st.characters(exclude_categories=["Cs"])).map(one_line).filter(bool))


@given(LINES)
def test_each_memory_is_one_line_of_the_list(memories: list[str]) -> None:
    first, *lines, last = listed(memories).split("\n")
    assert (first, last) == ("<memory>", "</memory>")
    assert [json.loads(line) for line in lines] == memories
    assert not any("<" in line or len(line.splitlines()) > 1 for line in lines)


@given(LINES, LINES)
def test_a_digest_is_that_of_its_memories_alone(one: list[str], other: list[str]) -> None:
    assert (digest_of(one) == digest_of(other)) == (one == other)
    assert (digest_of(one) == "") == (one == [])


@given(LINES, st.text(st.characters(exclude_categories=["Cs"])))
def test_a_prefix_with_memories_ends_as_without(memories: list[str], instructions: str) -> None:
    plain = FrozenPrefix("Be brief.", ())
    own = FrozenPrefix("Be brief.", (), instructions, tuple(memories))
    assert FrozenPrefix.from_json(own.to_json()) == own
    assert own.to_json() == plain.to_json() or own.to_json().endswith(with_own_words(plain.to_json()))
    assert own.prompt.startswith("Be brief.")


def test_a_note_tells_all_that_there_is() -> None:
    assert note_of([], is_on=True) == EMPTY
    assert note_of(["Is called Ada."], is_on=False) == OFF
    assert note_of(["Is called Ada."], is_on=True).endswith(listed(["Is called Ada."]))


@pytest.mark.parametrize(
    ("text", "is_on", "says"),
    [
        ("Is called Ada.", True, "Proposed, and not stored"),
        ("x" * 500, True, "Proposed, and not stored"),
        ("x" * 501, True, "Error: at most 500 characters are kept."),
        (" \n ", True, "Error: there is no text."),
        ("Is called Ada.", False, "Error: memory is switched off in this chat."),
    ],
)
async def test_the_tool_says_what_becomes_of_a_proposal(text: str, is_on: bool, says: str) -> None:
    asked: list[tuple[int, str]] = []

    async def remembers(user_id: int, session_id: str) -> bool:
        asked.append((user_id, session_id))
        return is_on

    call = ToolCall("1", "remember", json.dumps({"text": text}))
    told = await site_tools().call(Context(7, found, remembers, "a session"), call)
    assert told.text.startswith(says)
    assert asked in ([], [(7, "a session")])
