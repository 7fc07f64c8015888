"""From the text of a frame to a request, or to the protocol's own error: nothing else ever comes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.api.decode import BATCH, Refused, Request, decode

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_MEMBER = st.sampled_from(["jsonrpc", "id", "method", "params", "result"])
_FRAME = st.dictionaries(_MEMBER, st.just("2.0") | _JSON)


def request_of(text: str) -> Request:
    """Return the one request in a frame."""
    request = decode(text)
    assert isinstance(request, Request)
    return request


def code(text: str) -> int:
    """Return the code of the error that a frame is refused with."""
    with pytest.raises(Refused) as refused:
        decode(text)
    return refused.value.error.code


@given(st.text(st.characters()) | st.text('[]{}",:0123456789.eE+-\\u \n'))
def test_any_text_is_a_request_or_refused(text: str) -> None:
    try:
        decoded = decode(text)
    except Refused:
        return
    for member in decoded if isinstance(decoded, list) else [decoded]:
        assert isinstance(member, Request | Refused)


@given(_FRAME)
def test_any_object_is_a_request_or_refused_and_its_id_can_be_sent_back(frame: dict[str, Any]) -> None:
    try:
        request_id = request_of(json.dumps(frame)).id
    except Refused as refused:
        request_id = refused.id
    json.dumps(request_id, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\ufeff{}",
        "{",
        "{'jsonrpc': '2.0'}",
        '{"a": "\n"}',
        '{"id": NaN}',
        '{"id": Infinity}',
        '{"id": -Infinity}',
        '{"id": 1e400}',
        f'{{"id": {"9" * 5000}}}',
        f'{{"id": {"9" * 5000}.5e5000}}',
        "[" * 5000,
        "[" * 101 + "]" * 101,
        "[" * 5000 + "]" * 5000,
        '{"a":' * 5000 + "1" + "}" * 5000,
    ],
)
def test_what_is_not_json_is_a_parse_error(text: str) -> None:
    assert code(text) == -32700


@pytest.mark.parametrize(
    "frame",
    [
        [],
        "session.list",
        5,
        None,
        {},
        {"jsonrpc": "1.0", "id": 1, "method": "session.list"},
        {"jsonrpc": 2.0, "id": 1, "method": "session.list"},
        {"id": 1, "method": "session.list"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "method": 5},
        {"jsonrpc": "2.0", "id": 1, "method": "session.list", "params": None},
        {"jsonrpc": "2.0", "id": 1, "method": "session.list", "params": "text"},
        {"jsonrpc": "2.0", "id": True, "method": "session.list"},
        {"jsonrpc": "2.0", "id": {}, "method": "session.list"},
        {"jsonrpc": "2.0", "id": [1], "method": "session.list"},
        {"jsonrpc": "2.0", "id": "\ud800", "method": "session.list"},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
    ],
)
def test_json_that_is_no_request_is_an_invalid_request(frame: Any) -> None:
    assert code(json.dumps(frame)) == -32600


@pytest.mark.parametrize("request_id", [1, -1, 0, 1.5, "a", "", "\0", 2**60, None])
def test_a_readable_id_is_told_with_the_refusal(request_id: Any) -> None:
    with pytest.raises(Refused) as refused:
        decode(json.dumps({"jsonrpc": "3.0", "id": request_id, "method": "session.list"}))
    assert refused.value.id == request_id


def test_a_request_with_the_id_null_is_answered_and_one_without_is_not() -> None:
    assert request_of('{"jsonrpc": "2.0", "id": null, "method": "m"}').wants_response
    assert not request_of('{"jsonrpc": "2.0", "method": "m"}').wants_response


def test_brackets_in_a_text_are_no_nesting() -> None:
    frame = {"jsonrpc": "2.0", "method": "m", "params": {"text": "[{" * 500, "many": [[]] * 500}}
    assert request_of(json.dumps(frame)).params == frame["params"]


def test_of_two_members_of_one_name_the_last_counts() -> None:
    assert request_of('{"jsonrpc": "2.0", "method": "a", "method": "b"}').method == "b"


def test_a_batch_is_its_members_each_a_request_or_refused() -> None:
    members = decode('[{"jsonrpc": "2.0", "id": 1, "method": "m"}, 5, [], {"jsonrpc": "2.0", "id": 7}]')
    assert isinstance(members, list)
    assert members[0] == Request(1, True, "m", {})
    refused = [(member.error.code, member.id) for member in members if isinstance(member, Refused)]
    assert refused == [(-32600, None), (-32600, None), (-32600, 7)]


def test_a_batch_has_at_most_so_many_members() -> None:
    frame = {"jsonrpc": "2.0", "method": "m"}
    decoded = decode(json.dumps([frame] * BATCH))
    assert isinstance(decoded, list)
    assert len(decoded) == BATCH
    with pytest.raises(Refused) as refused:
        decode(json.dumps([frame] * (BATCH + 1)))
    assert (refused.value.error.code, refused.value.error.data) == (-32002, {"limit": BATCH})
