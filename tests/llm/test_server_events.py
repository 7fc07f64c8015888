"""Bytes → events, as the WHATWG's standard says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.llm.wire.server_events import EventParser, EventTooLargeError, ServerEvent


def events(*pieces: bytes, max_bytes: int = 10_000) -> list[tuple[str, str]]:
    """The events of a stream that comes in these pieces."""
    parser = EventParser(max_bytes)
    found: list[ServerEvent] = [event for piece in pieces for event in parser.feed(piece)]
    return [(event.name, event.data) for event in [*found, *parser.end()]]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\n", [("", "a")]),
        (b"data:a\n\ndata: b\n\n", [("", "a"), ("", "b")]),
        (b"data:  a\n\n", [("", " a")]),
        (b"event: x\ndata: a\n\ndata: b\n\n", [("x", "a"), ("", "b")]),
        (b"data: a\ndata: b\n\n", [("", "a\nb")]),
        (b"data\n\n", [("", "")]),
        (b"data:\n\n", [("", "")]),
        (b"\n\n\ndata: a\n\n\n\n", [("", "a")]),
        (b": a comment\n:\ndata: a\n: another\n\n", [("", "a")]),
        (b"id: 7\nretry: 100\nwhatever: x\nno colon\ndata: a\n\n", [("", "a")]),
        (b"event: only a name\n\ndata: a\n\n", [("", "a")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [("", "a"), ("", "b")]),
        (b"data: a\r\rdata: b\r\r", [("", "a"), ("", "b")]),
        (b"data: a\r\n\rdata: b\n\r\n", [("", "a"), ("", "b")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", "a")]),
        (b"data: \xef\xbb\xbfa\n\n", [("", "\ufeffa")]),
        (b"data: \xff\n\n", [("", "\ufffd")]),
        (b"data: a: b\n\n", [("", "a: b")]),
        (b"data: a\n", [("", "a")]),
        (b"data: a", [("", "a")]),
        (b"data: a\r", [("", "a")]),
        (b"", []),
    ],
)
def test_what_the_standard_says(stream: bytes, expected: list[tuple[str, str]]) -> None:
    assert events(stream) == expected
    assert events(*[bytes([byte]) for byte in stream]) == expected


LINES = st.lists(
    st.sampled_from(
        [b"data: a", b"data:b", b"data: \xf0\x9f\x98\x80", b"event: e", b":c", b"", b"", b"x", b"\xef\xbb\xbf"]
    ),
    max_size=8,
)


@given(LINES, st.sampled_from([b"\n", b"\r", b"\r\n"]), st.data())
def test_the_pieces_make_no_difference(lines: list[bytes], end: bytes, data: st.DataObject) -> None:
    stream = end.join(lines)
    cut = data.draw(st.integers(0, len(stream)))
    assert events(stream[:cut], stream[cut:]) == events(stream)


def test_an_event_without_end_is_refused() -> None:
    with pytest.raises(EventTooLargeError):
        events(b"data: " + b"a" * 200, max_bytes=100)
    with pytest.raises(EventTooLargeError):
        events(*[b"data: aaaaaaaa\n"] * 20, max_bytes=100)
    assert len(events(*[b"data: aaaaaaaa\n\n"] * 20, max_bytes=100)) == 20
