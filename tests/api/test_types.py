"""The declarations in types/ are those of the API as it is."""

from __future__ import annotations

from typing import Any

from sessions_app.api.methods import description
from tests import api_types


def described(**schemas: dict[str, Any]) -> str:
    """The declarations where one method's result is `Result`, without those of methods and notifications."""
    method = {
        "name": "some.method",
        "summary": "Do it.",
        "params": [
            {"name": "id", "required": True, "schema": {"type": "string"}},
            {"name": "limit", "required": False, "schema": {"type": "integer"}},
        ],
        "result": {"schema": {"$ref": "#/components/schemas/Result"}},
    }
    document = {"methods": [method], "components": {"schemas": schemas}, "x-notifications": []}
    return " ".join(api_types.declarations(document).split())


def test_the_declarations_are_those_of_the_api() -> None:
    """Else: make types."""
    assert api_types.FILE.read_text() == api_types.declarations(description().model_dump(mode="json"))


def test_a_method_has_its_params_and_its_result() -> None:
    words = described(Result={"type": "object", "additionalProperties": False})
    assert '/** Do it. */ "some.method": { params: { id: string; limit?: number }; result: Result };' in words
    assert "type Result = Record<string, never>;" in words


def test_a_schema_may_refer_to_another() -> None:
    schema = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/components/schemas/Next"}]}}}
    words = described(Result=schema, Next={"enum": ["one", "two"]})
    assert 'type Next = "one" | "two";' in words
    assert "interface Result { next?: Next; }" in words


def test_a_member_with_one_value_is_always_there() -> None:
    schema = {"type": "object", "properties": {"type": {"const": "A"}, "text": {"type": "string"}}}
    assert 'interface Result { type: "A"; text?: string; }' in described(Result=schema)


def test_each_kind_of_schema_has_a_type() -> None:
    kinds: dict[str, Any] = {
        "list": {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
        "map": {"type": "object", "additionalProperties": {"type": "boolean"}},
        "anything": {"anyOf": [{}, {"type": "null"}]},
        "inner": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    }
    words = described(Result={"type": "object", "properties": kinds, "required": list(kinds)})
    assert "list: Array<number | null>; map: Record<string, boolean>; anything: unknown; inner: { a: number };" in words
