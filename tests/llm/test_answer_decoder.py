"""Whatever way an answer's bytes come, it says the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.llm.wire.chat import ChatReader
from sessions_app.llm.wire.errors import PageAnswerError, UnreadableAnswerError
from sessions_app.llm.wire.reading import Reader
from sessions_app.llm.wire.server_events import EventParser, ServerEvent
from tests.llm.recorded import MAX_BYTES, NAMES, Said, reader_of, recorded, said

EXPECTED = {
    "text": 'Hello, wörld — 你好\uff0c世界 😀 e\u0301\n\n```py\nprint("a\\n")\n```\n  Done.',
    "thoughts": "Hello, wörld — 你好\uff0c世界 😀",
    "calls": "Let me see. ",
}
CALLS = [("calculator", '{"expression":"6*7"}'), ("search_chats", '{"query":"žluťoučký 😀"}')]


def whole(name: str) -> Said:
    """What a recorded stream says."""
    return said(reader_of(name), [recorded(name)])


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_answer_says_what_it_says(name: str) -> None:
    reader = reader_of(name)
    found = said(reader, [recorded(name)])
    kind = name.partition("_")[2]
    assert found.text == EXPECTED[kind]
    assert ("数える…" in found.thoughts) == (kind == "thoughts")
    assert [(call, arguments) for _, call, arguments in found.calls.values()] == (CALLS if kind == "calls" else [])
    assert {found.usage.get(count) for count in ("completion_tokens", "output_tokens")} >= {23}
    assert (reader.ended, reader.done, reader.finish) == (True, True, None)


def events(pieces: list[bytes]) -> list[ServerEvent]:
    """The events of a body in pieces: all that a cut can change."""
    parser = EventParser(MAX_BYTES)
    return [*(event for piece in pieces for event in parser.feed(piece)), *parser.end()]


@pytest.mark.parametrize("name", NAMES)
def test_cut_at_every_byte_it_says_the_same(name: str) -> None:
    stream = recorded(name)
    expected = events([stream])
    # One byte at a time all places are cut at; at once, two pieces at those of the first frames.
    for cut in range(min(len(stream), 500) + 1):
        assert events([stream[:cut], stream[cut:]]) == expected
    assert said(reader_of(name), [bytes([byte]) for byte in stream]) == whole(name)


@pytest.mark.parametrize("name", NAMES)
def test_broken_off_at_any_event_it_is_not_complete_and_no_word_is_lost(name: str) -> None:
    events = recorded(name).split(b"\n\n")
    expected = whole(name)
    for count in range(len(events)):
        reader = reader_of(name)
        found = said(reader, [b"\n\n".join(events[:count]) + b"\n\n", b'data: {"cut": '])
        assert expected.text.startswith(found.text)
        if not reader.ended:
            assert b"finish" not in b"".join(events[:count]).replace(b'"finish_reason":null', b"")
    assert reader.ended


NOISE = [
    b": keep-alive\n\n",
    b"\n",
    b"data:\n\n",
    b"data: null\n\n",
    b"data: []\n\n",
    b"id: 3\nretry: 10\n\n",
    b"event: x\n\n",
]


@given(st.sampled_from(NAMES), st.data())
def test_noise_that_the_standard_allows_changes_nothing(name: str, data: st.DataObject) -> None:
    end = data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    space = data.draw(st.booleans())
    pieces = [data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))]
    for event in recorded(name).split(b"\n\n")[:-1]:
        pieces += data.draw(st.lists(st.sampled_from(NOISE), max_size=1))
        pieces.append((event if space else event.replace(b": ", b":", 1)) + b"\n\n")
    assert said(reader_of(name), [piece.replace(b"\n", end) for piece in pieces]) == whole(name)


def chat(*frames: dict[str, Any], reader: Reader | None = None, mark: bool = False) -> Said:
    """What frames of chat completions say, one event each."""
    body = [f"data: {json.dumps(frame)}\n\n".encode() for frame in frames]
    return said(reader or ChatReader(), [*body, b"data:[DONE]\n\n" if mark else b""])


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def call(index: Any = 0, call_id: str | None = None, name: str | None = None, arguments: Any = None) -> dict[str, Any]:
    return delta(tool_calls=[{"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}])


CALCULATES = ["calculator", '{"a":1}']


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([call(name="calculator", arguments=piece) for piece in ("", '{"a"', ":1}")], [CALCULATES]),
        ([call(call_id="c", name="calculator", arguments=piece) for piece in ('{"a"', ":1}", "")], [CALCULATES]),
        ([call(name="calcu"), call(name="lator"), call(arguments='{"a":1}')], [CALCULATES]),
        ([call(0, "c", "calculator", '{"a":1}'), call(0, "d", "calculator", '{"a":1}')], [CALCULATES] * 2),
        ([call(0, None, "calculator", '{"a":1}'), call(0, None, "calculator", '{"a":1}')], [CALCULATES] * 2),
        ([call(None, "c", "calculator", '{"a":'), call(None, "c", None, "1}")], [CALCULATES]),
        ([call(None, None, "calculator", '{"a":'), call(None, None, None, "1}")], [CALCULATES]),
        ([call(0, "c", "calculator", {"a": 1})], [["calculator", '{"a": 1}']]),
        ([call(0, "c", "calculator"), call(1, "d", "calculator", "{}"), call(0, "c", None, '{"a":1}')],
         [CALCULATES, ["calculator", "{}"]]),
    ],
)  # fmt: skip
def test_calls_are_told_apart(frames: list[dict[str, Any]], expected: list[list[str]]) -> None:
    assert [parts[1:] for parts in chat(*frames).calls.values()] == expected


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        ([delta(content="a\ud83d"), delta(content="\ude00b")], "a😀b"),
        ([delta(content="\ud83d"), {"choices": [], "usage": None}, delta(content="\ude00")], "😀"),
        ([delta(content="\ud83d"), delta(content="b")], "\ud83db"),
        ([delta(content="a\ud83d")], "a\ud83d"),
        ([delta(content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])], "ab"),
        ([delta(content="a"), delta(refusal="No."), delta()], "aNo."),
        ([{"choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}]}], "whole"),
        ([{"choices": [{"delta": None}]}, {"choices": None}, {"choices": [None]}, delta(content="a")], "a"),
        ([delta(content="a"), delta(content=None), delta(content=7), delta(content="b")], "ab"),
    ],
)
def test_words_of_tolerant_frames(frames: list[dict[str, Any]], text: str) -> None:
    assert chat(*frames).text == text


def test_one_thought_given_twice_is_one() -> None:
    assert chat(delta(reasoning="hm", reasoning_content="hm")).thoughts == "hm"


def test_a_sum_in_each_chunk_is_counted_once() -> None:
    counts = [
        {"prompt_tokens": 40, "completion_tokens": n, "prompt_tokens_details": {"cached_tokens": 8}} for n in range(12)
    ]
    found = chat(*[delta(content="a") | {"usage": usage} for usage in counts])
    assert found.usage == {"prompt_tokens": 40, "completion_tokens": 11, "total_tokens": 0}


@pytest.mark.parametrize("finish", ["", None])
def test_no_reason_is_no_end(finish: str | None) -> None:
    reader = ChatReader()
    chat(delta(finish, content="a"), delta(finish, content="b"), reader=reader)
    assert not reader.ended


def test_the_last_mark_is_an_end() -> None:
    reader = ChatReader()
    assert chat(delta(content="a"), reader=reader, mark=True).text == "a"
    assert reader.ended


@pytest.mark.parametrize("name", NAMES)
def test_one_object_in_place_of_a_stream_is_the_answer(name: str) -> None:
    body = WHOLE[name.partition("_")[0]]
    reader = reader_of(name)
    found = said(reader, [b"\n " + json.dumps(body, indent=1).encode()])
    assert (found.text, found.thoughts) == ("Let me see.", "Hm.")
    assert [tuple(parts[1:]) for parts in found.calls.values()] in ([("calculator", '{"a": 1}')], [])
    assert (reader.ended, reader.finish) == (True, "length")


ARGUMENTS = '{"a": 1}'
WHOLE: dict[str, dict[str, Any]] = {
    "chat": {
        "object": "chat.completion",
        "choices": [
            {
                "message": {
                    "content": "Let me see.",
                    "reasoning_content": "Hm.",
                    "tool_calls": [{"id": "c", "function": {"name": "calculator", "arguments": ARGUMENTS}}],
                },
                "finish_reason": "length",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    },
    "responses": {
        "id": "resp_1",
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [
            {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {"id": "msg_1", "type": "message", "content": [{"type": "output_text", "text": "Let me see."}]},
            {"id": "fc_1", "type": "function_call", "call_id": "c", "name": "calculator", "arguments": ARGUMENTS},
        ],
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
    "anthropic": {
        "id": "msg_1",
        "type": "message",
        "content": [
            {"type": "thinking", "thinking": "", "signature": "s"},
            {"type": "thinking", "thinking": "Hm.", "signature": "s"},
            {"type": "text", "text": "Let me see."},
            {"type": "tool_use", "id": "c", "name": "calculator", "input": {"a": 1}},
        ],
        "stop_reason": "max_tokens",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
}


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><p>Hi", b"\xef\xbb\xbf <html>"])
def test_a_page_is_no_answer(body: bytes) -> None:
    with pytest.raises(PageAnswerError):
        said(ChatReader(), [body])


@pytest.mark.parametrize(
    "body", [b"{broken", b"[1]", b'data: {"a": \n\n', b'data: {"a":1e400, "b": }\n\n', b"{" * 5000]
)
def test_what_is_no_json_cannot_be_read(body: bytes) -> None:
    with pytest.raises(UnreadableAnswerError):
        said(ChatReader(), [body])


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "index",
                    "delta",
                    "choices",
                    "content",
                    "text",
                    "usage",
                    "message",
                    "id",
                    "output",
                    "item",
                    "stop_reason",
                    "error",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KINDS = [
    "error",
    "message_start",
    "message_delta",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "response.created",
    "response.output_item.done",
    "response.output_text.delta",
    "response.completed",
]


@given(
    st.sampled_from(NAMES),
    st.lists(st.dictionaries(st.sampled_from(KINDS), ANYTHING, max_size=3), max_size=4),
    st.data(),
)
def test_no_frame_of_any_form_breaks_the_reader(name: str, frames: list[dict[str, Any]], data: st.DataObject) -> None:
    for frame in [data.draw(ANYTHING), *frames]:
        if isinstance(frame, dict):
            list(reader_of(name).read(data.draw(st.sampled_from(["", *KINDS])), frame))
            list(reader_of(name).whole(frame))
