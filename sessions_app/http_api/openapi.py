"""The description of the APIs over HTTP, for ``/api/openapi.json``: OpenAPI 3.1, made of the routes and their types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from sessions_app.http_api.about import About, loaded
from sessions_app.http_api.application import Route

# The contract's own version: it grows and does not break.
VERSION = "1.0.0"
_INFO = """What is asked over HTTP, OpenAI's API for its official clients among it. Send a token of this site:
`Authorization: Bearer TOKEN`. Where the session cookie is taken, it comes from a page of the site, with
Django's CSRF token as `X-CSRFToken` unless the method is a safe one. What the host does not know of a body is
ignored."""
_REFERENCE = "#/components/schemas/{model}"
_ERRORS = {
    "400": "The request is wrong: `param` names what.",
    "401": "No token, or none that is valid any more.",
    "403": "The token may only read, or the CSRF token of a login is missing.",
    "404": "There is no such thing, or it is somebody else's.",
    "429": "Too many: `Retry-After` says in how many seconds to try again.",
}
_SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token of this site."},
    "login": {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
    "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRFToken"},
}

Schema = dict[str, Any]


class ErrorDetails(BaseModel):
    """What is wrong, in OpenAI's form."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    """The body of an error."""

    error: ErrorDetails


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """Return the description of routes, at no server yet. It may take a second: the first use of some types."""
    told = [(route, route.about) for route in routes if route.about is not None]
    schemas, shared = _schemas([about for _, about in told])
    paths: dict[str, dict[str, Any]] = {}
    for route, about in told:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, about, schemas)
    return {
        "openapi": "3.1.1",
        "info": {"title": "Hermes Site", "version": VERSION, "description": " ".join(_INFO.split())},
        "paths": paths,
        "components": {
            "schemas": shared,
            "securitySchemes": _SECURITY,
            "responses": {code: _response(text, schemas[_key(ErrorBody)]) for code, text in _ERRORS.items()},
        },
    }


def _schemas(told: Iterable[About]) -> tuple[dict[Any, Schema], dict[str, Schema]]:
    """Return the schemas of all types that are named, by ``_key``, and what they refer to."""
    inputs: dict[Any, tuple[Any, JsonSchemaMode, TypeAdapter[Any]]] = {}
    for kind, mode in _types(told):
        key = (kind, mode)
        inputs[key] = (key, mode, TypeAdapter(kind))
    found, shared = TypeAdapter.json_schemas(inputs.values(), by_alias=True, ref_template=_REFERENCE)
    return {key: schema for (key, _), schema in found.items()}, shared.get("$defs", {})


def _types(told: Iterable[About]) -> Iterable[tuple[Any, JsonSchemaMode]]:
    yield _key(ErrorBody)
    for about in told:
        yield from (_key(loaded(kind)) for kind in (about.answer, about.events) if kind is not None)
        if about.body is not None:
            yield about.body, "validation"


def _key(kind: Any) -> tuple[Any, JsonSchemaMode]:
    return kind, "serialization"


def _operation(route: Route, about: About, schemas: dict[Any, Schema]) -> dict[str, Any]:
    summary, _, rest = _said(route).partition(". ")
    secured: list[dict[str, list[str]]] = [{"token": []}]
    if route.takes_cookie:
        secured.append({"login": []} if route.method == "GET" else {"login": [], "csrf": []})
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").rstrip("_"),
        "summary": summary.rstrip("."),
        "description": f"{rest} {_consequence(about)}".strip(),
        "security": secured,
        "parameters": _parameters(route, about),
        "responses": {
            str(about.good): _good(about, schemas),
            **{code: {"$ref": f"#/components/responses/{code}"} for code in _ERRORS},
            **{str(code): _response(text, schemas[_key(ErrorBody)]) for code, text in about.errors.items()},
        },
    }
    if about.body is not None:
        content: dict[str, Any] = {"schema": schemas[about.body, "validation"]}
        if about.example is not None:
            content["example"] = about.example
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    elif about.upload:
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _form(about)}}}
    return operation


def _form(about: About) -> Schema:
    """Return the schema of a form with one file."""
    return {"type": "object", "properties": {about.upload: {"type": "string"}}, "required": [about.upload]}


def _said(route: Route) -> str:
    """Return what a handler says of itself, without what it raises: that is said of all."""
    said = " ".join((inspect.getdoc(route.handler) or "").split())
    return said.partition(" Raises ")[0]


def _consequence(about: About) -> str:
    return "A token that may only read is refused." if about.changes else ""


def _parameters(route: Route, about: About) -> list[dict[str, Any]]:
    text = {"type": "string"}
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": text} for name in re.findall(r"{(\w+)}", route.path)
    ]
    told = [("header", *field) for field in about.fields.items()] + [("query", *one) for one in about.query.items()]
    named = [{"name": name, "in": place, "description": meaning, "schema": text} for place, name, meaning in told]
    return [*in_path, *named]


def _good(about: About, schemas: dict[Any, Schema]) -> dict[str, Any]:
    # OpenAPI 3.1 has no words for a stream: the schema is that of the data of each event.
    kinds = {"application/json": about.answer, "text/event-stream": about.events}
    content: dict[str, Any] = {
        name: {"schema": schemas[_key(loaded(kind))]} for name, kind in kinds.items() if kind is not None
    }
    if about.media:
        content[about.media] = {"schema": {}}
    return {"description": HTTPStatus(about.good).phrase, **({"content": content} if content else {})}


def _response(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
