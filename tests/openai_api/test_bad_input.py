"""Whatever is sent: OpenAI's error form with the right status, never a fault, and nothing half stored."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from tests.live import LiveSite
from tests.openai_api.conftest import MODEL, Program, conversation
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

CHAT = "/v1/chat/completions"
USER = {"role": "user", "content": "Hello"}
ASSISTANT = {"role": "assistant", "content": "Hi"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


def post(program: Program, body: bytes, path: str = CHAT, **headers: str) -> tuple[int, dict[str, Any]]:
    """Return the status and the error that a body is answered with."""
    sent = {"Content-Type": "application/json", "Authorization": f"Bearer {program.site.tokens[program.user]}"}
    request = urllib.request.Request(
        program.site.base_url + path, body, {**sent, **{name.replace("_", "-"): each for name, each in headers.items()}}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=PATIENCE)
    with refused.value:
        answer = json.load(refused.value)
    assert answer.keys() == {"error"}
    assert answer["error"].keys() == {"message", "type", "param", "code"}
    assert answer["error"]["message"]
    return refused.value.code, answer["error"]


def chat(**body: Any) -> bytes:
    return json.dumps({"model": MODEL, "messages": [USER], **body}).encode()


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": [USER, 5]}, "messages[1]"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": " \n"}]}, "messages"),
        ({"messages": [ASSISTANT]}, "messages"),
        ({"messages": [USER, ASSISTANT]}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [USER, {"role": "system", "content": "x"}, USER]}, "messages[1].role"),
        ({"messages": [USER, {**ASSISTANT, "function_call": {"name": "f"}}, USER]}, "messages[1]"),
        ({"messages": [USER, {"role": "function", "name": "f", "content": "x"}]}, "messages[1]"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "messages[0].content[0].image_url.url"),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]},
            "messages[0].content[0].file.file_data",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": "x" * 200_001}]}, "messages[0].content"),
        ({"messages": [USER] * 5_001}, "messages"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "logprobs"),
        ({"function_call": "auto"}, "function_call"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"reasoning_effort": "AS MUCH AS YOU CAN"}, "reasoning_effort"),
        ({"response_format": {"type": "poem"}}, "response_format.type"),
        ({"stream": "yes"}, "stream"),
        ({"model": 5}, "model"),
        ({"messages": [{"role": "user", "content": "a\0b"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "\ud83d"}]}, None),
        ({"response_format": {"type": "json_schema", "json_schema": {"\udc00": 1}}}, None),
        ({"user": "\udc00"}, None),
    ],
)
def test_what_is_wrong_is_named(refused_program: Program, body: dict[str, Any], param: str | None) -> None:
    status, error = post(refused_program, chat(**body))
    assert (status, error["param"]) == (400, param)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"5", b"\xff\xfe", b"[" * 100_000, b'{"model": NaN}', b'{"a":' * 200 + b"1" + b"}" * 200],
)
def test_what_is_no_json_object_is_refused(refused_program: Program, body: bytes) -> None:
    assert post(refused_program, body)[0] == 400


@pytest.mark.parametrize("piece", [b"[],", b"{},", b'"",', b"1,", b'"a\\\\",'])
def test_a_body_of_very_many_pieces_is_refused_unparsed(refused_program: Program, piece: bytes) -> None:
    status, error = post(refused_program, b'{"ignored": [' + piece * 110_000 + b"0]}")
    assert (status, "pieces" in error["message"]) == (400, True)


def test_quotation_marks_and_commas_in_a_text_are_no_pieces(program: Program, model: Provider) -> None:
    text = '"\\",[{}],\\' * 10_000
    assert program.say(text)
    assert model.requests[-1].json["messages"][-1]["content"] == text


def test_a_backslash_before_a_u_is_a_text(program: Program) -> None:
    assert program.say("what is \\u0000 or \\ud800 in JSON?")


def test_an_unknown_model_is_not_found(refused_program: Program) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        refused_program.client().chat.completions.create(model="gpt-nobody", messages=conversation("Hello"))
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_another_content_type_is_refused(refused_program: Program, kind: str) -> None:
    assert post(refused_program, chat(), content_type=kind)[0] == 415


def test_another_encoding_is_refused(refused_program: Program) -> None:
    assert post(refused_program, chat(), content_type="application/json; charset=utf-16")[0] == 400
    assert post(refused_program, chat(), content_encoding="gzip")[0] == 415


@pytest.mark.parametrize(("path", "status"), [("/v1/nothing", 404), ("/v1/models", 405), ("/v1/", 404)])
def test_other_addresses_and_methods_are_refused(refused_program: Program, path: str, status: int) -> None:
    assert post(refused_program, chat(), path)[0] == status


@pytest.mark.parametrize("name", ["x" * 201, "tab\tin it"])
def test_a_name_that_is_none_is_refused(refused_program: Program, name: str) -> None:
    assert post(refused_program, chat(), x_session_id=name)[0] == 400


def test_a_body_beyond_the_bound_is_refused_before_it_comes(program: Program) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 104857600\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", program.site.port), timeout=PATIENCE) as connection:
        connection.sendall(head)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["type"] == "invalid_request_error"


@pytest.mark.thorough
def test_a_history_of_megabytes_is_taken(program: Program, model: Provider) -> None:
    model.script(Answer(words=["I have read it."]))
    said = [f"{number} " + "word " * 1_000 for number in range(2_001)]
    assert program.say(*said) == "I have read it."
    [session] = program.sessions()
    assert session["message_count"] == 2_002
    assert len(model.requests[0].json["messages"]) == 2_002


@pytest.fixture(scope="module")
def strict_site(start_site: Callable[..., LiveSite]) -> Iterator[LiveSite]:
    """A site that allows each user two turns a minute, over one connection at once; `owner` and `outsider` use it."""
    started = start_site(HERMES_MODEL="demo", HERMES_TURNS_PER_MINUTE="2", HERMES_CONNECTIONS_PER_USER="1")
    yield started
    assert started.stop() == 0
    assert started.errors() == []


def test_too_many_turns_are_told_when_to_try_again(strict_site: LiveSite) -> None:
    program = Program(strict_site, "owner")
    for _ in range(2):
        program.say("Hello")
    with pytest.raises(openai.RateLimitError) as refused:
        program.say("Hello")
    assert 0 < int(refused.value.response.headers["retry-after"]) <= 60
    assert refused.value.code == "rate_limit_exceeded"
    with pytest.raises(openai.RateLimitError) as refused:
        program.client().responses.create(model=MODEL, input="Hello")
    assert refused.value.code == "rate_limit_exceeded"
    assert len(program.sessions()) == 2


def test_too_many_requests_at_once_are_refused(strict_site: LiveSite) -> None:
    program = Program(strict_site, "outsider")
    with program.page(), pytest.raises(openai.RateLimitError) as refused:
        program.client().models.list()
    assert int(refused.value.response.headers["retry-after"]) > 0
