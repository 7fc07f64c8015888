"""TypeScript declarations of the API, made from its OpenRPC description: `make types` writes them.

types/api.d.ts is for the checks of the page's scripts and is served to nobody; clients/js/api.d.ts is the same for the
JavaScript client, as a module. In the namespace `Api` are an interface or a type for each schema of the document, and
`Methods`: params and result by method name.
"""

from __future__ import annotations

import json
import os
from typing import Any

from tests.processes import ROOT

FILE = ROOT / "types" / "api.d.ts"
MODULE = ROOT / "clients" / "js" / "api.d.ts"
_HEAD = "// The types of the API, made from /api/openrpc.json by `make types`: not to be changed by hand.\n\n"
_REFERENCE = "#/components/schemas/"
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}

Schema = dict[str, Any]


def declarations(document: dict[str, Any]) -> str:
    """The declarations of an OpenRPC document, as TypeScript."""
    schemas = document["components"]["schemas"]
    methods = "\n".join(_method(method) for method in document["methods"])
    told = "\n".join(f"  {_string(notice['name'])}: {_type(notice['schema'])};" for notice in notices(document))
    parts = [
        "/** Of each method its params and its result. */",
        f"interface Methods {{\n{methods}\n}}",
        "/** Of each notification of the server its params. */",
        f"interface Notifications {{\n{told}\n}}",
    ]
    for name in sorted(schemas):
        parts += [*_comment(schemas[name]), _declaration(name, schemas[name])]
    body = "\n".join(f"  {line}" if line else "" for part in parts for line in part.splitlines())
    return f"{_HEAD}declare namespace Api {{\n{body}\n}}\n"


def module(document: dict[str, Any]) -> str:
    """The same declarations, as those of a module."""
    return declarations(document).replace("declare namespace Api", "export declare namespace Api", 1)


def notices(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The notifications that an OpenRPC document describes."""
    found: list[dict[str, Any]] = document["x-notifications"]
    return found


def _method(method: dict[str, Any]) -> str:
    params = {param["name"]: param["schema"] for param in method["params"]}
    required = [param["name"] for param in method["params"] if param["required"]]
    taken = _object({"properties": params, "required": required, "additionalProperties": False})
    members = f"{{ params: {taken}; result: {_type(method['result']['schema'])} }}"
    return f"  /** {' '.join(method['summary'].split())} */\n  {_string(method['name'])}: {members};"


def _comment(schema: Schema) -> list[str]:
    words = " ".join(schema.get("description", "").split()).replace("*/", "* /")
    return [f"/** {words} */"] if words else []


def _declaration(name: str, schema: Schema) -> str:
    if not schema.get("properties"):
        return f"type {name} = {_type(schema)};"
    members = _members(schema["properties"], schema.get("required", []))
    return "\n".join([f"interface {name} {{", *(f"  {member};" for member in members), "}"])


def _members(properties: dict[str, Schema], required: list[str]) -> list[str]:
    """An object's members. One that can have but one value always has it, whatever the schema requires."""
    return [
        f"{name}{'' if name in required or 'const' in schema else '?'}: {_type(schema)}"
        for name, schema in properties.items()
    ]


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REFERENCE)
    if "const" in schema:
        return _string(schema["const"])
    if "enum" in schema:
        return " | ".join(map(_string, schema["enum"]))
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        types = dict.fromkeys(map(_type, alternatives))
        return "unknown" if "unknown" in types else " | ".join(types)
    if schema.get("type") == "array":
        return f"Array<{_type(schema['items'])}>"
    if schema.get("type") == "object":
        return _object(schema)
    return _PLAIN[schema["type"]] if schema.get("type") else "unknown"


def _object(schema: Schema) -> str:
    if members := _members(schema.get("properties", {}), schema.get("required", [])):
        return f"{{ {'; '.join(members)} }}"
    values = schema.get("additionalProperties", True)
    if isinstance(values, dict):
        return f"Record<string, {_type(values)}>"
    return "Record<string, unknown>" if values else "Record<string, never>"


def _string(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def api_description() -> dict[str, Any]:
    """The API as it is, as an OpenRPC document."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from sessions_app.api.methods import description

    return description().model_dump(mode="json")


def main() -> None:
    """Write the files from the API as it is."""
    document = api_description()
    FILE.write_text(declarations(document))
    MODULE.write_text(module(document))


if __name__ == "__main__":
    main()
