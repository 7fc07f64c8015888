"""The description at /api/openapi.json says what the APIs over HTTP do."""

from __future__ import annotations

import inspect
import json
import re
import urllib.error
import urllib.request
from functools import cache
from typing import Any

import pytest
from django.test import Client
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from hermes_site import doors
from sessions_app.http_api.application import Route
from tests.limited import add_token
from tests.live import LiveSite
from tests.processes import PATIENCE

DOCUMENT = "/api/openapi.json"
ROUTES = {f"{route.method} {route.path}": route for route in doors.routes()}


@pytest.fixture(scope="module")
def site(lasting_site: LiveSite) -> LiveSite:
    """A site with a token of the owner's that only reads."""
    lasting_site.tokens["reader"] = add_token(lasting_site.database, "owner", reads_only=True)
    return lasting_site


@cache
def described() -> dict[str, Any]:
    document: dict[str, Any] = Client().get(DOCUMENT).json()
    return document


@pytest.mark.thorough
def test_it_is_a_document_that_openapis_tools_take() -> None:
    document = described()
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert document["servers"] == [{"url": "http://testserver"}]


def test_it_is_public_and_asked_for_again_cheaply() -> None:
    first = Client().get(DOCUMENT)
    assert first.status_code == 200
    assert Client().get(DOCUMENT, headers={"if-none-match": first["ETag"]}).status_code == 304
    assert Client().post(DOCUMENT).status_code == 405


@pytest.mark.parametrize("name", ROUTES)
def test_every_route_is_described(name: str) -> None:
    route = ROUTES[name]
    assert route.about is not None
    assert inspect.getdoc(route.handler)
    operation = described()["paths"][route.path][route.method.lower()]
    assert operation["summary"]
    assert {"login" in each for each in operation["security"]} == ({False, True} if route.takes_cookie else {False})
    assert ("example" in str(operation.get("requestBody", ""))) is (route.about.body is not None)


def test_operations_have_names_of_their_own() -> None:
    names = [each["operationId"] for path in described()["paths"].values() for each in path.values()]
    assert len(set(names)) == len(names) == len(ROUTES)


@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if route.about and route.about.body])
def test_an_example_is_of_the_type_that_is_read(name: str) -> None:
    about = ROUTES[name].about
    assert about is not None
    assert about.body is not None
    about.body.model_validate_json(json.dumps(about.example))
    schema = described()["paths"][ROUTES[name].path][ROUTES[name].method.lower()]["requestBody"]
    validate(about.example, schema["content"]["application/json"]["schema"])


def validate(value: Any, schema: dict[str, Any]) -> None:
    OAS31Validator({**schema, "components": described()["components"]}).validate(value)


def example_of(route: Route) -> tuple[bytes | None, str]:
    """Return the body of a request that is carried out, and its type."""
    if route.about and route.about.upload:
        head = f'Content-Disposition: form-data; name="{route.about.upload}"; filename="a.txt"'
        return "\r\n".join(["--X", head, "", "a", "--X--", ""]).encode(), "multipart/form-data; boundary=X"
    body = json.dumps(route.about.example).encode() if route.about and route.about.body else None
    return body, "application/json"


def ask(site: LiveSite, route: Route, user: str) -> tuple[int, bytes]:
    """Send a route's example, and return the status and the body of the answer."""
    path = re.sub(r"{\w+}", "unknown", route.path)
    body, content_type = example_of(route)
    headers = {"Authorization": f"Bearer {site.tokens[user]}", "Content-Type": content_type}
    request = urllib.request.Request(site.base_url + path, body, headers, method=route.method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


@pytest.mark.parametrize("name", ROUTES)
def test_a_token_that_only_reads_is_refused_what_changes(site: LiveSite, name: str) -> None:
    route = ROUTES[name]
    assert route.about is not None
    status, _ = ask(site, route, "reader")
    if "{" in route.path and route.about.changes:
        assert status in (403, 404)  # what is named is not there either
    else:
        assert (status == 403) is route.about.changes


@pytest.mark.parametrize("name", ROUTES)
def test_what_is_answered_is_what_is_described(site: LiveSite, name: str) -> None:
    route = ROUTES[name]
    operation = described()["paths"][route.path][route.method.lower()]
    status, body = ask(site, route, "owner")
    if status == 404:
        answer = described()["components"]["responses"]["404"]
    else:
        assert route.about
        assert status == route.about.good, body
        answer = operation["responses"][str(status)]
    if route.about and route.about.events and not route.about.answer:
        said = [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: ")]
        assert said
        for event in said:
            validate(event, answer["content"]["text/event-stream"]["schema"])
        return
    validate(json.loads(body), answer["content"]["application/json"]["schema"])
