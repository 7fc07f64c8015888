"""The description of the API at ``/api/openrpc.json``: OpenRPC 1.3, made from the frames and methods.

OpenRPC has no place for what a server sends by itself; the notifications are under
``x-notifications``, in the form that it has for methods.
"""

from __future__ import annotations

import inspect
import json
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from sessions_app.api.decode import InternalError, InvalidParams, InvalidRequest, ParseError, UnknownMethod
from sessions_app.api.events import SessionEvent
from sessions_app.api.method import Method
from sessions_app.api.methods import METHODS
from sessions_app.errors import CommandError, Conflict, NotFound, TooLarge, TooMany

# The contract's own version: it grows and does not break.
VERSION = "1.0.0"
_SCHEMAS = "#/components/schemas/{model}"
_ERRORS: tuple[type[CommandError], ...] = (
    ParseError,
    InvalidRequest,
    UnknownMethod,
    InvalidParams,
    InternalError,
    NotFound,
    TooLarge,
    TooMany,
    Conflict,
)
_INFO = """JSON-RPC 2.0, one text frame a message, parameters by name. Requests carry the session
cookie of the site, from a page of its own, or `Authorization: Bearer TOKEN`. A request without
an id is carried out and never answered. Clients ignore event types that they do not know.
Close codes: 4401 not, or no longer, authorised; 4003 binary frame; 4009 or 1009 frame too large;
4008 reads too slowly; 4012 the process is stopping, connect again; 4029 too many connections of one user."""


@cache
def document() -> str:
    """Return the description, as JSON text."""
    schemas, definitions = _schemas()
    return json.dumps(
        {
            "openrpc": "1.3.2",
            "info": {"title": "Hermes Site", "version": VERSION, "description": " ".join(_INFO.split())},
            "servers": [{"name": "chat", "url": "/ws/chat/"}],
            "methods": [_method(method, schemas, definitions) for method in METHODS.values()],
            "components": {"schemas": definitions, "errors": {error.__name__: _error(error) for error in _ERRORS}},
            "x-notifications": [
                {
                    "name": "session.event",
                    "summary": "An event of a session: of its run, or one of the project's own facts.",
                    "paramStructure": "by-name",
                    "params": schemas["session.event"],
                }
            ],
        }
    )


def _schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schemas of params, results and events by name, and what they refer to."""
    inputs: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        *((f"{method.name} params", "validation", TypeAdapter(method.params)) for method in METHODS.values()),
        *((f"{method.name} result", "serialization", TypeAdapter(method.result)) for method in METHODS.values()),
        ("session.event", "serialization", TypeAdapter(SessionEvent)),
    ]
    found, shared = TypeAdapter.json_schemas(inputs, by_alias=True, ref_template=_SCHEMAS)
    return {name: schema for (name, _), schema in found.items()}, shared["$defs"]


def _method(method: Method, schemas: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    params = definitions[method.params.__name__]
    required = params.get("required", [])
    errors: list[type[CommandError]] = [InvalidParams, *method.errors, TooMany]
    return {
        "name": method.name,
        "summary": inspect.getdoc(method.handler),
        "paramStructure": "by-name",
        "params": [
            {"name": name, "required": name in required, "schema": schema}
            for name, schema in params.get("properties", {}).items()
        ],
        "result": {"name": "result", "schema": schemas[f"{method.name} result"]},
        "errors": [{"$ref": f"#/components/errors/{error.__name__}"} for error in errors],
    }


def _error(error: type[CommandError]) -> dict[str, Any]:
    return {"code": error.code, "message": inspect.getdoc(error)}
