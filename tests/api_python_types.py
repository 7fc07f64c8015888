"""Types of the API for the Python client, made from the OpenRPC description: `make types` writes them.

A `TypedDict` for each schema of the document that is an object, an alias for each other; `Notice` is what the server
sends by itself.
"""

from __future__ import annotations

import json
import keyword
import subprocess
import sys
from textwrap import fill
from typing import Any

from tests.api_types import api_description, notices
from tests.processes import ROOT

FILE = ROOT / "clients" / "python" / "src" / "hermes_client" / "types.py"
_HEAD = '''"""The types of the API, made from /api/openrpc.json by `make types`: not to be changed by hand."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

'''
_REFERENCE = "#/components/schemas/"
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}

Schema = dict[str, Any]


def module(document: dict[str, Any]) -> str:
    """The types of an OpenRPC document, as a Python module that is formatted as the others are."""
    schemas = document["components"]["schemas"]
    objects = {name: schema for name, schema in schemas.items() if schema.get("properties")}
    aliases = [f"{name} = {_type(schemas[name])}" for name in sorted(schemas.keys() - objects.keys())]
    classes = [_class(name, objects[name]) for name in sorted(objects)]
    told = " | ".join(_type(each["schema"]) for each in notices(document) if each["name"] == "session.event")
    return _formatted("\n\n".join([_HEAD + "\n".join(aliases), *classes, f"Notice = {told}"]) + "\n")


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(FILE), "-"]
    return subprocess.run(command, input=text, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _class(name: str, schema: Schema) -> str:
    words = " ".join(schema.get("description", "").replace("``", "`").split())
    said = fill(f'"""{words}', 110, initial_indent="    ", subsequent_indent="    ") + '\n    """\n' if words else ""
    if said.count("\n") == 2:
        said = f'    """{words}"""\n'
    return f"class {name}(TypedDict):\n{said}\n" + "\n".join(f"    {each}" for each in _members(schema))


def _members(schema: Schema) -> list[str]:
    """An object's members. One that can have but one value always has it, whatever the schema requires."""
    required = schema.get("required", [])
    found = []
    for name, each in schema["properties"].items():
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        kind = _type(each)
        found.append(f"{name}: {kind if name in required or 'const' in each else f'NotRequired[{kind}]'}")
    return found


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REFERENCE)
    if "const" in schema:
        return f"Literal[{_literal(schema['const'])}]"
    if "enum" in schema:
        return f"Literal[{', '.join(map(_literal, schema['enum']))}]"
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        types = dict.fromkeys(map(_type, alternatives))
        return "Any" if "Any" in types else " | ".join(types)
    if schema.get("type") == "array":
        return f"list[{_type(schema['items'])}]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties", True)
        return f"dict[str, {_type(values) if isinstance(values, dict) else 'Any'}]"
    return _PLAIN[schema["type"]] if schema.get("type") else "Any"


def _literal(value: object) -> str:
    return "None" if value is None else json.dumps(value, ensure_ascii=False)


def main() -> None:
    """Write the file from the API as it is."""
    FILE.write_text(module(api_description()))


if __name__ == "__main__":
    main()
