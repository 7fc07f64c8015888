"""The API's description is one that tools for OpenRPC take, and its examples are what it describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client as Browser
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7

from sessions_app.api.error_data import DATA
from sessions_app.api.examples import EXAMPLES
from sessions_app.api.methods import METHODS, description
from sessions_app.conversations.shape import Shape
from tests.api.conftest import Connect

SCHEMAS = Path(__file__).parent / "openrpc_schemas"
EVENT: dict[str, Any] = {"session_id": "s", "run_id": None, "seq": None, "event": {}}


def read(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / name).read_text())
    return schema


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return description().at("ws://127.0.0.1:8000/ws/chat/").model_dump(mode="json")


@pytest.fixture(scope="module")
def openrpc() -> Validator:
    """Holds a document against OpenRPC's own schema."""
    inner = DRAFT7.create_resource(read("json_schema.json"))
    names = ("https://meta.json-schema.tools", "https://meta.json-schema.tools/")
    return Draft7Validator(read("openrpc.json"), registry=Registry().with_resources((name, inner) for name in names))


def errors_of(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> list[str]:
    """What is wrong with a value by a schema of the document."""
    whole = {**schema, "components": document["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def test_the_document_passes_openrpcs_own_schema(document: dict[str, Any], openrpc: Validator) -> None:
    assert [error.message for error in openrpc.iter_errors(document)] == []


def test_a_document_that_is_none_does_not_pass(document: dict[str, Any], openrpc: Validator) -> None:
    changes: list[dict[str, Any]] = [
        {"methods": [{"name": "x"}]},
        {"surprise": 1},
        {"servers": [{}]},
        {"openrpc": "2.0"},
    ]
    for change in changes:
        assert not openrpc.is_valid({**document, **change})
    broken = {**document["methods"][0], "params": [{"name": "p", "schema": {"type": 5}}]}
    assert not openrpc.is_valid({**document, "methods": [broken]})


def test_the_notifications_have_the_form_of_methods(document: dict[str, Any], openrpc: Validator) -> None:
    params = {"session.event": EVENT.keys(), "account.changed": {"features"}}
    for notification in document["x-notifications"]:
        method = {name: value for name, value in notification.items() if name != "schema"}
        assert openrpc.is_valid({**document, "methods": [method]})
        assert all(param["description"] for param in method["params"])
        required = {param["name"] for param in method["params"] if param["required"]}
        assert required == params[notification["name"]]


def test_every_parameter_method_and_result_is_described(document: dict[str, Any]) -> None:
    for method in document["methods"]:
        assert method["summary"]
        assert method["description"]
        assert method["result"]["description"] not in ("", " ".join((Shape.__doc__ or "").split()))
        assert [param["name"] for param in method["params"] if not param["description"]] == []


def test_every_method_has_an_example_that_its_schemas_take(document: dict[str, Any]) -> None:
    assert EXAMPLES.keys() == METHODS.keys()
    for method in document["methods"]:
        schemas = {param["name"]: param["schema"] for param in method["params"]}
        required = {param["name"] for param in method["params"] if param["required"]}
        (example,) = method["examples"]
        given = {param["name"]: param["value"] for param in example["params"]}
        assert required <= given.keys()
        for name, value in given.items():
            assert errors_of(value, schemas[name], document) == [], (method["name"], name)
        assert errors_of(example["result"]["value"], method["result"]["schema"], document) == [], method["name"]


@pytest.mark.parametrize("name", METHODS)
def test_an_example_is_what_the_server_takes_and_answers(name: str) -> None:
    method, example = METHODS[name], EXAMPLES[name]
    method.params.model_validate(example.params)
    method.result.model_validate_json(json.dumps(example.result), strict=True)


def test_each_method_lists_the_errors_of_json_rpc(document: dict[str, Any]) -> None:
    codes = {name: error["code"] for name, error in document["components"]["errors"].items()}
    for method in document["methods"]:
        listed = {codes[error["$ref"].rpartition("/")[2]] for error in method["errors"]}
        assert {-32700, -32600, -32601, -32602, -32603} <= listed


def test_the_data_of_errors_has_a_schema(document: dict[str, Any]) -> None:
    described = {name for name, error in document["components"]["errors"].items() if "data" in error}
    assert described == {error.__name__ for error in DATA}
    for name in described:
        Draft202012Validator.check_schema(document["components"]["errors"][name]["data"])


def test_no_schema_is_there_for_nothing(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    unused = [name for name in document["components"]["schemas"] if f'"#/components/schemas/{name}"' not in text]
    assert unused == []


async def test_rpc_discover_answers_what_the_address_does(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    assert await client.call("rpc.discover") == description().at("ws://localhost/ws/chat/").model_dump(mode="json")


@pytest.mark.parametrize(("secure", "scheme"), [(False, "ws"), (True, "wss")])
def test_the_server_is_the_one_that_was_asked(client: Browser, secure: bool, scheme: str) -> None:
    answer = client.get("/api/openrpc.json", secure=secure, headers={"host": "localhost:8443"})
    assert answer.json()["servers"] == [{"name": "chat", "url": f"{scheme}://localhost:8443/ws/chat/"}]
