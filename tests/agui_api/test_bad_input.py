"""Whatever is sent: a clear error with the right status, never a fault, and nothing half stored."""

from __future__ import annotations

import json
import socket
import urllib.request
from typing import Any

import pytest

from tests.agui_api.conftest import Clients
from tests.live import LiveSite
from tests.openai_api.conftest import Program
from tests.openai_api.test_bad_input import post
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider

AGUI = "/ag-ui/"
USER = {"id": "1", "role": "user", "content": "Hello"}
IMAGE = {"type": "image", "source": {"type": "data", "value": "AA==", "mimeType": "image/png"}}
BINARY = {"type": "binary", "mimeType": "image/png", "data": "AA=="}


def asked(**given: Any) -> bytes:
    return json.dumps({"threadId": "thread", "runId": "run", "messages": [USER], **given}).encode()


def of(**message: Any) -> bytes:
    return asked(messages=[{**USER, **message}])


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (asked(threadId=""), "threadId"),
        (asked(threadId="x" * 201), "threadId"),
        (asked(threadId="a\0b"), "threadId"),
        (asked(threadId=5), "threadId"),
        (asked(runId=""), "runId"),
        (asked(runId=None), "runId"),
        (asked(messages=None), "messages"),
        (asked(messages={"0": USER}), "messages"),
        (asked(messages=[USER, 5]), "messages[1]"),
        (asked(messages=[]), None),
        (asked(messages=[{**USER, "role": "assistant"}]), None),
        (asked(messages=[{**USER, "content": " \n"}]), None),
        (asked(messages=[USER, {**USER, "content": "again"}]), "messages[1].id"),
        (of(role="wizard"), "messages[0]"),
        (of(role=None), "messages[0]"),
        (of(id=""), "messages[0].id"),
        (of(id="a\0b"), "messages[0].id"),
        (of(id=7), "messages[0]"),
        (of(content="a\0b"), "messages[0].content"),
        (of(content=None), "messages[0]"),
        (of(content=["text"]), "messages[0]"),
        (of(content="x" * 200_001), "messages[0].content"),
        (of(content=[IMAGE]), "messages[0].content"),
        (of(content=[BINARY]), "messages[0]"),
        (of(role="tool"), "messages[0]"),
        (asked(messages=[{**USER, "id": str(number)} for number in range(5_001)]), "messages"),
        (asked(resume=[{"interruptId": "i", "status": "resolved"}]), "resume"),
        (asked(resume="yes"), "resume"),
        (asked(tools="all"), "tools"),
        (asked(context={"a": 1}), "context"),
    ],
)
def test_what_is_wrong_is_named(refused_program: Program, body: bytes, param: str | None) -> None:
    status, error = post(refused_program, body, AGUI)
    assert status == 400
    assert (error["param"] or "").startswith(param or "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"threadId":"t","runId":"r","messages":[{"id":"1","role":"user","content":"\\ud800"}]}',
        b'{"threadId":"t\\udc00","runId":"r","messages":[]}',
        b'{"threadId":"t","runId":"r","messages":[{"id":"1","role":"user","content":"\xff"}]}',
        b'{"threadId":"t","runId":"r","messages":[],"state":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"threadId":"t","runId":"r","messages":[],"state":[' + b"[]," * 100_000 + b"[]]}",
        b'{"threadId":"t","runId":"r","messages":[],"forwardedProps":1e999999}' * 2,
    ],
)
def test_what_is_no_json_is_refused(refused_program: Program, body: bytes) -> None:
    assert post(refused_program, body, AGUI)[0] == 400


def test_other_content_types_and_methods_are_refused(refused_program: Program) -> None:
    assert post(refused_program, asked(), AGUI, Content_Type="text/plain")[0] == 415
    assert post(refused_program, asked(), "/ag-ui/elsewhere")[0] == 404
    assert post(refused_program, asked(), "/api/ag-ui/capabilities")[0] == 405


def test_a_body_beyond_the_bound_is_refused_before_it_comes(program: Program) -> None:
    head = f"POST {AGUI} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 104857600\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", program.site.port), timeout=PATIENCE) as connection:
        connection.sendall(head)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["type"] == "invalid_request_error"


def test_without_a_valid_token_nobody_is_let_in(refused_program: Program) -> None:
    for headers in ({"Authorization": "Bearer wrong"}, {"Authorization": "", "Cookie": "sessionid=whatever"}):
        assert post(refused_program, asked(), AGUI, **headers)[0] == 401


@pytest.mark.thorough
def test_two_thousand_messages_at_once_are_taken(clients: Clients, program: Program, model: Provider) -> None:
    roles = ("user", "assistant")
    history = [{"id": str(number), "role": roles[number % 2], "content": f"M{number}"} for number in range(2_000)]
    agent = clients.agent("thread", initialMessages=history)
    whole = agent.say("And now?")
    assert len(whole.messages) == 2_002
    assert len(model.requests[-1].json["messages"]) == 2_002
    again = agent.say("Again?")
    assert len(model.requests[-1].json["messages"]) == 2_004
    assert again.kinds[-1] == "RUN_FINISHED"


def test_what_means_nothing_here_is_ignored(clients: Clients, model: Provider) -> None:
    told = clients.agent("thread", initialState={"deep": [1, {"er": None}]}).say(
        "Hello", context=[{"description": "Who", "value": "me"}], forwardedProps={"model": "x", "n": [1]}
    )
    assert told.kinds[-1] == "RUN_FINISHED"
    assert b"deep" not in model.bodies[-1]


def test_thoughts_and_activities_of_the_client_are_no_messages(program: Program, site: LiveSite) -> None:
    own = [
        {"id": "r", "role": "reasoning", "content": "Hm."},
        {"id": "a", "role": "activity", "activityType": "x", "content": {}},
    ]
    request = urllib.request.Request(
        site.base_url + AGUI,
        asked(messages=[USER, *own]),
        {"Content-Type": "application/json", "Authorization": f"Bearer {site.tokens[program.user]}"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert b"RUN_FINISHED" in answer.read()
    [session] = program.sessions()
    assert answer.headers["X-Session-Id"] == session["id"]
    assert program.texts(session["id"])[0] == "Hello"
    assert len(program.texts(session["id"])) == 2
