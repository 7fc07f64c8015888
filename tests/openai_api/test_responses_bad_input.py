"""Bad input to responses and conversations, and other people's: OpenAI's error form, and nothing half stored."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import openai
import pytest
from openai import OpenAI

from tests.openai_api.conftest import MODEL, Program
from tests.openai_api.test_bad_input import post
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

RESPONSES, CONVERSATIONS = "/v1/responses", "/v1/conversations"
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
FILE = {"type": "input_file", "file_data": "AA=="}
USER = {"role": "user", "content": "Hello"}
# The same in every process: two of them must collect the same tests.
NOBODY = "2f1a6c0e-6f0d-4c1e-9a37-5f3f1f0b7f11"


def content(*parts: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": list(parts)}]}


def form(**given: Any) -> dict[str, Any]:
    return {"text": {"format": given}}


WRONG: list[tuple[dict[str, Any], str | None]] = [
    ({"input": None}, "input"),
    ({"input": 5}, "input"),
    ({"input": ""}, "input"),
    ({"input": " \n"}, "input"),
    ({"input": []}, "input"),
    ({"input": [5]}, "input[0]"),
    ({"input": "a\0b"}, "input"),
    ({"input": "x" * 200_001}, "input"),
    ({"input": [USER] * 5_001}, "input"),
    ({"input": [{"content": "x"}]}, "input[0].role"),
    ({"input": [{"role": "wizard", "content": "x"}]}, "input[0].role"),
    ({"input": [{"role": "user"}]}, "input[0].content"),
    ({"input": [USER, {"role": "assistant", "content": "x"}]}, "input"),
    ({"input": [USER, {"role": "system", "content": "x"}, USER]}, "input[1].role"),
    ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
    ({"input": [{"type": "computer_call"}]}, "input[0].type"),
    (content(IMAGE), "input[0].content[0].image_url"),
    (content(FILE), "input[0].content[0].file_data"),
    (content({"type": ["x"]}), "input[0].content[0].type"),
    (content({"type": "input_text", "text": 5}), "input[0].content[0].text"),
    ({"instructions": 5}, "instructions"),
    ({"instructions": "a\0b"}, "instructions"),
    ({"instructions": "x" * 200_001}, "instructions"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ({"tools": [5]}, "tools[0]"),
    ({"n": 2}, "n"),
    ({"top_logprobs": 3}, "top_logprobs"),
    ({"prompt": {"id": "pmpt_1"}}, "prompt"),
    ({"background": True, "store": False}, "background"),
    ({"max_output_tokens": 0}, "max_output_tokens"),
    ({"temperature": 3}, "temperature"),
    ({"top_p": -1}, "top_p"),
    ({"reasoning": {"effort": "AS MUCH AS YOU CAN"}}, "reasoning.effort"),
    (form(type="poem"), "text.format.type"),
    (form(type="json_schema"), "text.format.name"),
    (form(type="json_schema", name="x"), "text.format.schema"),
    ({"stream": "yes"}, "stream"),
    ({"store": "no"}, "store"),
    ({"metadata": {"key": 5}}, "metadata.key"),
    ({"metadata": {"k" * 65: "v"}}, None),
    ({"metadata": {"key": "v" * 513}}, "metadata.key"),
    ({"metadata": {f"k{number}": "v" for number in range(17)}}, "metadata"),
    ({"metadata": {"key": "a\0b"}}, "metadata.key"),
    ({"metadata": {"key": "\ud800"}}, None),
    ({"previous_response_id": 5}, "previous_response_id"),
    ({"previous_response_id": "resp_x"}, "previous_response_id"),
    ({"previous_response_id": f"resp_{NOBODY}"}, "previous_response_id"),
    ({"previous_response_id": f"resp_{NOBODY}", "conversation": f"conv_{NOBODY}"}, "previous_response_id"),
    ({"conversation": f"conv_{NOBODY}", "store": False}, "store"),
    ({"model": ""}, "model"),
]
"""What is wrong with a response, each with the parameter that is named."""


def test_what_is_wrong_with_a_response_is_named(refused_program: Program, subtests: pytest.Subtests) -> None:
    for body, param in WRONG:
        with subtests.test(str(body)[:200]):
            status, error = post(
                refused_program, json.dumps({"model": MODEL, "input": "Hello", **body}).encode(), RESPONSES
            )
            assert status == 400
            assert param is None or error["param"] == param
            assert refused_program.sessions() == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"items": 5}, "items"),
        ({"items": [USER] * 21}, "items"),
        ({"items": [{"role": "user", "content": [IMAGE]}]}, "items[0].content[0].image_url"),
        ({"metadata": {"key": 5}}, "metadata.key"),
    ],
)
def test_what_is_wrong_with_a_conversation_is_named(refused_program: Program, body: dict[str, Any], param: str) -> None:
    status, error = post(refused_program, json.dumps(body).encode(), CONVERSATIONS)
    assert (status, error["param"]) == (400, param)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"input": NaN}'])
def test_what_is_no_json_object_is_refused(refused_program: Program, body: bytes) -> None:
    assert post(refused_program, body, RESPONSES)[0] == 400


def test_an_unknown_model_or_conversation_is_not_found(program: Program) -> None:
    client = program.client()
    with pytest.raises(openai.NotFoundError) as refused:
        client.responses.create(model="gpt-nobody", input="Hello")
    assert refused.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError) as missing:
        client.responses.create(model=MODEL, input="Hello", conversation=f"conv_{NOBODY}")
    assert missing.value.code == "conversation_not_found"
    assert program.sessions() == []


@pytest.mark.parametrize("name", ["resp_x", "resp_", "x", NOBODY, f"conv_{NOBODY}", f"resp_{{{NOBODY}}}", "%00", "a/b"])
def test_an_id_that_is_none_is_not_found(refused_program: Program, name: str) -> None:
    for call in DOORS.values():
        with pytest.raises(openai.NotFoundError):
            call(refused_program.client(), name, name)


def test_a_query_that_is_wrong_is_refused(program: Program) -> None:
    response = program.client().responses.create(model=MODEL, input="Hello")
    made = program.client().conversations.create()
    for query in ("limit=0", "limit=101", "limit=x", "limit=-1", "order=up", "after=msg_x", "a=b&" * 200):
        for path in (f"responses/{response.id}/input_items", f"conversations/{made.id}/items"):
            assert status_of(program, f"/v1/{path}?{query}") == 400, query


def test_a_query_of_very_many_fields_is_refused(program: Program) -> None:
    response = program.client().responses.create(model=MODEL, input="Hello")
    assert status_of(program, f"/v1/responses/{response.id}?" + "a=b&" * 200) == 400


def status_of(program: Program, path: str) -> int:
    """Return the status of an address."""
    authorization = {"Authorization": f"Bearer {program.site.tokens[program.user]}"}
    request = urllib.request.Request(program.site.base_url + path, headers=authorization)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


DOORS: dict[str, Callable[[OpenAI, str, str], Any]] = {
    "retrieve": lambda client, response, _: client.responses.retrieve(response),
    "stream": lambda client, response, _: client.responses.retrieve(response, stream=True),
    "cancel": lambda client, response, _: client.responses.cancel(response),
    "delete": lambda client, response, _: client.responses.delete(response),
    "input items": lambda client, response, _: client.responses.input_items.list(response),
    "conversation": lambda client, _, conversation: client.conversations.retrieve(conversation),
    "items": lambda client, _, conversation: client.conversations.items.list(conversation),
}


def test_another_users_is_as_if_it_were_missing(program: Program, model: Provider) -> None:
    model.script(Answer(words=["Secret."]))
    own = program.client()
    made = own.conversations.create(metadata={"own": "secret"})
    response = own.responses.create(model=MODEL, input="Mine", conversation=made.id)
    program.site.database.add_user(name := f"other{uuid4().hex[:8]}")
    other = Program(program.site, name)
    for door in DOORS.values():
        told = []
        for ids in ((response.id, made.id), (f"resp_{NOBODY}", f"conv_{NOBODY}")):
            with pytest.raises(openai.NotFoundError) as refused:
                door(other.client(), *ids)
            told.append(json.dumps(refused.value.body).replace(response.id, "resp_").replace(made.id, "conv_"))
        assert told[0] == told[1].replace(f"resp_{NOBODY}", "resp_").replace(f"conv_{NOBODY}", "conv_")
        with pytest.raises(openai.AuthenticationError):
            door(program.client(api_key="wrong"), response.id, made.id)
    assert own.responses.retrieve(response.id).output_text == "Secret."


def test_nobody_goes_on_from_another_users(program: Program, model: Provider) -> None:
    own = program.client()
    made = own.conversations.create()
    response = own.responses.create(model=MODEL, input="Mine", conversation=made.id)
    program.site.database.add_user(name := f"other{uuid4().hex[:8]}")
    other = Program(program.site, name)
    with pytest.raises(openai.BadRequestError) as previous:
        other.client().responses.create(model=MODEL, input="Yours", previous_response_id=response.id)
    assert previous.value.code == "previous_response_not_found"
    with pytest.raises(openai.NotFoundError):
        other.client().responses.create(model=MODEL, input="Yours", conversation=made.id)
    assert other.sessions() == []
