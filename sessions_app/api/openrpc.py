"""The description of the API, for ``/api/openrpc.json`` and ``rpc.discover``: OpenRPC 1.3, of frames and methods.

OpenRPC has no place for what a server sends by itself; the notifications are under
``x-notifications``, in the form that it has for methods, each with the ``schema`` of all its parameters together.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from sessions_app.api.decode import InternalError, InvalidParams, InvalidRequest, ParseError, UnknownMethod
from sessions_app.api.error_data import DATA
from sessions_app.api.events import AccountNotification, FactNotification, RunNotification, SessionEvent
from sessions_app.api.examples import EXAMPLES
from sessions_app.api.method import Method
from sessions_app.conversations.shape import Shape
from sessions_app.errors import CommandError, Conflict, Forbidden, NotFound, TooLarge, TooMany

# The contract's own version: it grows and does not break.
VERSION = "1.0.0"
_REFERENCE = "#/components/schemas/"
# What any request may be answered with.
_USUAL: tuple[type[CommandError], ...] = (
    ParseError,
    InvalidRequest,
    UnknownMethod,
    InvalidParams,
    InternalError,
    TooMany,
)
_ERRORS = (*_USUAL, NotFound, TooLarge, Conflict, Forbidden)
_INFO = """JSON-RPC 2.0, one request or a batch of at most 64 in a text frame, parameters by name. The handshake carries
the session cookie of the site, from a page of its own, or `Authorization: Bearer TOKEN`. A request without
an id is carried out and never answered. Clients ignore event types that they do not know.
Close codes: 4401 not, or no longer, authorised; 4003 binary frame; 4009 or 1009 frame too large;
4008 reads too slowly; 4012 the process is stopping, connect again; 4029 too many connections of one user."""

Schema = dict[str, Any]


class Description(Shape):
    """An OpenRPC document."""

    model_config = ConfigDict(extra="allow")

    openrpc: str
    info: dict[str, Any]
    methods: list[dict[str, Any]]

    def at(self, server: str) -> Description:
        """Return the same for a server whose WebSocket has this absolute address."""
        return self.model_copy(update={"servers": [{"name": "chat", "url": server}]})


def describe(methods: Iterable[Method]) -> Description:
    """Return the description of an API that has these methods, at no server yet. It takes some 100 ms."""
    methods = list(methods)
    schemas, definitions = _schemas(methods)
    described = [_method(method, schemas, definitions) for method in methods]
    notifications = [
        _notification(schemas["session.event"], definitions),
        _account_notification(schemas["account.changed"], definitions),
    ]
    errors = {error.__name__: _error(error, schemas) for error in _ERRORS}
    used = _used([described, notifications, errors], definitions)
    return Description.model_validate(
        {
            "openrpc": "1.3.2",
            "info": {"title": "Hermes Site", "version": VERSION, "description": " ".join(_INFO.split())},
            "methods": described,
            "components": {
                "schemas": {name: schema for name, schema in definitions.items() if name in used},
                "errors": errors,
            },
            "x-notifications": notifications,
        }
    )


def _schemas(methods: list[Method]) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """Return the schemas of params, results, events and errors' data by name, and what they refer to."""
    inputs: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        *((f"{method.name} params", "validation", TypeAdapter(method.params)) for method in methods),
        *((f"{method.name} result", "serialization", TypeAdapter(method.result)) for method in methods),
        ("session.event", "serialization", TypeAdapter(SessionEvent)),
        ("account.changed", "serialization", TypeAdapter(AccountNotification)),
        *((kind.__name__, "validation", TypeAdapter(kind)) for kinds in DATA.values() for kind in kinds),
    ]
    template = f"{_REFERENCE}{{model}}"
    found, shared = TypeAdapter.json_schemas(inputs, by_alias=True, ref_template=template)
    return {name: schema for (name, _), schema in found.items()}, shared["$defs"]


def _method(method: Method, schemas: dict[str, Schema], definitions: dict[str, Schema]) -> dict[str, Any]:
    limited = (Forbidden,) if method.changes or method.of_account else ()
    errors = dict.fromkeys([*_USUAL, *method.errors, *limited])
    result = " ".join((method.result.__doc__ or "").split())
    return {
        "name": method.name,
        "summary": inspect.getdoc(method.handler),
        "description": _consequence(method),
        "paramStructure": "by-name",
        "params": _descriptors(definitions[method.params.__name__]),
        "result": {"name": "result", "description": result, "schema": schemas[f"{method.name} result"]},
        "errors": [{"$ref": f"#/components/errors/{error.__name__}"} for error in errors],
        "examples": [_example(method)],
    }


def _consequence(method: Method) -> str:
    if method.changes:
        return "Changes what is stored: carried out though the connection closes before the answer."
    return "Changes nothing that is stored: dropped where the connection closes before the answer."


def _descriptors(schema: Schema) -> list[dict[str, Any]]:
    """Return an object's members as content descriptors; their description is said once."""
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "description": " ".join(member.get("description", "").split()),
            "required": name in required,
            "schema": {key: value for key, value in member.items() if key != "description"},
        }
        for name, member in schema.get("properties", {}).items()
    ]


def _example(method: Method) -> dict[str, Any]:
    example = EXAMPLES[method.name]
    return {
        "name": f"{method.name} example",
        "params": [{"name": name, "value": value} for name, value in example.params.items()],
        "result": {"name": "result", "value": example.result},
    }


def _notification(schema: Schema, definitions: dict[str, Schema]) -> dict[str, Any]:
    of_run, of_fact = (definitions[kind.__name__] for kind in (RunNotification, FactNotification))
    params = {
        param["name"]: {**param, "required": param["name"] in of_run["required"]} for param in _descriptors(of_fact)
    }
    for param in _descriptors(of_run):
        both = [params[param["name"]]["schema"], param["schema"]]
        params[param["name"]]["schema"] = both[0] if both[0] == both[1] else {"anyOf": both}
    return {
        "name": "session.event",
        "summary": "An event of a session: of its run, or one of the project's own facts.",
        "paramStructure": "by-name",
        "params": list(params.values()),
        "schema": schema,
    }


def _account_notification(schema: Schema, definitions: dict[str, Schema]) -> dict[str, Any]:
    return {
        "name": "account.changed",
        "summary": "What the user may use has changed.",
        "paramStructure": "by-name",
        "params": _descriptors(definitions[AccountNotification.__name__]),
        "schema": schema,
    }


def _error(error: type[CommandError], schemas: dict[str, Schema]) -> dict[str, Any]:
    told: dict[str, Any] = {"code": error.code, "message": inspect.getdoc(error)}
    data = [schemas[kind.__name__] for kind in DATA.get(error, ())]
    if data:
        told["data"] = data[0] if len(data) == 1 else {"anyOf": data}
    return told


def _used(roots: Any, definitions: dict[str, Schema]) -> set[str]:
    """Return the names of the schemas that ``roots`` refer to, or that these refer to."""
    used: set[str] = set()
    left = set(_references(roots))
    while left:
        name = left.pop()
        used.add(name)
        left |= set(_references(definitions[name])) - used
    return used


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        if str(node.get("$ref")).startswith(_REFERENCE):
            yield node["$ref"].removeprefix(_REFERENCE)
        for item in node.values():
            yield from _references(item)
