"""The stored form of content: read as it is, refused where it is not known."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.llm.content.codec import VERSION, decode, encode, known
from sessions_app.llm.content.errors import ContentError
from sessions_app.llm.content.parts import (
    FileReference,
    Note,
    Origin,
    Part,
    Parts,
    Reasoning,
    Summary,
    TextSpan,
    ToolCall,
    ToolResult,
)

TEXTS = st.text(max_size=5)
MAYBE = st.none() | TEXTS
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Origin, TEXTS, TEXTS, MAYBE, MAYBE, MAYBE),
    st.builds(Reasoning, TEXTS, MAYBE, MAYBE, MAYBE, st.booleans()),
    st.builds(TextSpan, st.integers(0, 9), st.integers(0, 9), MAYBE, MAYBE),
    st.builds(ToolCall, TEXTS, TEXTS, TEXTS, MAYBE, MAYBE),
    st.builds(ToolResult, TEXTS, TEXTS),
    st.builds(
        FileReference,
        TEXTS,
        TEXTS,
        TEXTS,
        size=st.integers(0, 10**9),
        folder=st.none() | TEXTS,
        text=st.none() | TEXTS,
        images=st.lists(TEXTS, max_size=2).map(tuple),
    ),
    st.builds(Summary, st.integers(0, 9), st.none() | st.integers(0, 9)),
    st.builds(Note),
)
STORED: list[dict[str, Any]] = [
    {"kind": "origin", "model": "m", "digest": "d", "provider": "openai", "url": None, "system": None},
    {"kind": "reasoning", "text": "hm", "id": "rs_1", "signature": "s", "details": "{}", "tagged": True},
    {"kind": "text", "start": 0, "length": 2, "id": "msg_1", "details": "{}"},
    {"kind": "call", "id": "call_1", "name": "calculator", "arguments": "{}", "item": "fc_1", "details": "{}"},
    {"kind": "result", "id": "call_1", "name": "calculator"},
    {"kind": "file", "id": "f", "name": "a.png", "media_type": "image/png"},
    {"kind": "summary", "before": 8, "asked": 6},
    {"kind": "note"},
]
SHORTEST = [
    {"kind": "reasoning", "text": ""},
    {"kind": "text", "start": 0, "length": 0},
    {"kind": "call", "id": "", "name": "", "arguments": ""},
    {"kind": "summary", "before": 0},
]


@given(st.lists(PARTS, max_size=4).map(tuple))
def test_what_is_written_is_read_back(parts: Parts) -> None:
    assert decode(encode(parts)) == parts


@pytest.mark.parametrize("part", [*STORED, *SHORTEST])
def test_what_is_read_is_written_back(part: dict[str, Any]) -> None:
    assert encode(decode([part])) == [part]


def test_every_kind_of_part_has_a_stored_form() -> None:
    assert {type(part) for part in decode(STORED)} == set(get_args(Part))


def test_no_parts_are_stored_as_null() -> None:
    assert encode(()) is None
    assert decode(None) == decode([]) == ()


UNKNOWN = [
    {"version": VERSION + 1, "parts": []},
    [{"kind": "audio", "id": "secret"}],
    [STORED[1] | {"mood": "secret"}],
    [{"kind": "call", "id": 7, "name": "secret", "arguments": "{}"}],
    [{"kind": "text", "start": "0", "length": 2}],
    [{"kind": "result", "id": "secret"}],
    ["secret"],
    [{}],
    {"kind": "text"},
    "secret",
    7,
]


@pytest.mark.parametrize("column", UNKNOWN)
def test_unknown_content_is_refused_and_not_quoted(column: object) -> None:
    with pytest.raises(ContentError, match="cannot read") as raised:
        decode(column)
    assert "secret" not in raised.value.text


def test_a_newer_version_is_named() -> None:
    with pytest.raises(ContentError, match=f"version {VERSION + 1}, and version {VERSION} is the newest"):
        decode({"version": VERSION + 1, "parts": []})


@pytest.mark.parametrize("column", UNKNOWN)
def test_unknown_content_is_not_shown(column: object) -> None:
    assert known(column) == ()


def test_what_is_known_is_shown_beside_what_is_not() -> None:
    assert known([{"kind": "audio"}, SHORTEST[0], STORED[4]]) == (Reasoning(""), ToolResult("call_1", "calculator"))
