"""Browser apps on other origins: those that are listed may read all answers of the APIs over HTTP, others none."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping

import pytest

from hermes_site.uploads import MAX_BODY
from tests.live import LiveSite
from tests.processes import PATIENCE

APP, OTHER_APP = "https://app.example", "http://127.0.0.1:3000"
EVIL = "https://evil.example"
UNLISTED = (EVIL, "http://app.example", "https://app.example:8443", "https://a.app.example", "null", "")
ALLOWED = "access-control-allow-origin"
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def site(start_site: Callable[..., LiveSite]) -> Iterator[LiveSite]:
    """A site that two other origins may use, for a turn a minute; it must end well and have logged no error."""
    started = start_site(HERMES_API_ORIGINS=f"{APP}, {OTHER_APP}", HERMES_TURNS_PER_MINUTE="1")
    yield started
    assert started.stop() == 0
    assert started.errors() == []


def ask(
    site: LiveSite,
    method: str,
    path: str,
    headers: Mapping[str, str],
    origin: str | None = APP,
    body: bytes | None = None,
) -> tuple[int, dict[str, str]]:
    """Return the status and the headers of an answer, by their names in lower case."""
    named = dict(headers) if origin is None else {**headers, "Origin": origin}
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    told: dict[str, str] = {}
    for name, value in answer.getheaders():
        told[name.lower()] = ", ".join(filter(None, [told.get(name.lower()), value]))
    return answer.status, told


def bearer(site: LiveSite) -> dict[str, str]:
    return {"Authorization": f"Bearer {site.tokens['owner']}"}


def cross_origin(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("origin", [APP, OTHER_APP])
def test_a_listed_origin_may_read_an_answer(site: LiveSite, origin: str) -> None:
    status, headers = ask(site, "GET", "/v1/models", bearer(site), origin)
    assert status == 200
    assert headers["vary"] == "Origin"
    assert cross_origin(headers) == {
        ALLOWED: origin,
        "access-control-expose-headers": "X-Session-Id, Retry-After, X-Should-Retry",
    }


@pytest.mark.parametrize("origin", UNLISTED)
def test_an_origin_that_is_not_listed_gets_nothing(site: LiveSite, origin: str) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for method, more in (("GET", bearer(site)), ("OPTIONS", asked)):
        status, headers = ask(site, method, "/v1/models", more, origin)
        assert status == (200 if method == "GET" else 405)
        assert cross_origin(headers) == {}
        assert headers["vary"] == "Origin"


@pytest.mark.parametrize("path", ["/v1/models", CHAT, "/ag-ui/", "/api/ticket", "/api/openrpc.json"])
def test_a_preflight_allows_what_official_clients_send(site: LiveSite, path: str) -> None:
    wanted = "authorization,content-type,x-session-id,x-stainless-lang,x-stainless-runtime-version"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": wanted}
    status, headers = ask(site, "OPTIONS", path, asked)
    assert status == 204
    assert cross_origin(headers) == {
        ALLOWED: APP,
        "access-control-expose-headers": "X-Session-Id, Retry-After, X-Should-Retry",
        "access-control-allow-methods": "GET, POST, DELETE",
        "access-control-allow-headers": wanted,
        "access-control-max-age": "600",
    }
    assert headers["vary"] == "Origin, Access-Control-Request-Headers"


@pytest.mark.parametrize("names", ["", "a b", "x" * 101, "\x01", "a;b", ",".join(["a"] * 101)])
def test_names_of_headers_that_are_none_are_not_allowed(site: LiveSite, names: str) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": names}
    status, headers = ask(site, "OPTIONS", CHAT, asked)
    assert status == 204
    assert "access-control-allow-headers" not in headers


def test_a_preflight_is_asked_for_by_its_header(site: LiveSite) -> None:
    status, headers = ask(site, "OPTIONS", CHAT, {})
    assert status == 405
    assert headers[ALLOWED] == APP


@pytest.mark.parametrize(
    ("method", "path", "body", "more", "expected"),
    [
        ("GET", "/v1/models", None, {}, 401),
        ("GET", "/v1/nothing", None, {}, 404),
        ("GET", "/api/nothing", None, {}, 404),
        ("GET", CHAT, None, {}, 405),
        ("POST", CHAT, b"{}", {"Content-Type": "application/json; charset=utf-16"}, 400),
        ("POST", CHAT, b"", {"Content-Length": str(10**9)}, 413),
        ("POST", "/api/ticket", b"", {"Content-Length": str(MAX_BODY + 1)}, 413),
        ("POST", "/api/ticket", b"", {"Cookie": "sessionid=wrong"}, 401),
    ],
)
def test_an_app_can_read_every_error(
    site: LiveSite, method: str, path: str, body: bytes | None, more: dict[str, str], expected: int
) -> None:
    status, headers = ask(site, method, path, more, body=body)
    assert status == expected
    assert headers[ALLOWED] == APP
    assert "access-control-allow-credentials" not in headers
    status, headers = ask(site, method, path, more, EVIL, body)
    assert status == expected
    assert cross_origin(headers) == {}


def test_an_app_can_read_how_long_to_wait(site: LiveSite) -> None:
    body = b'{"model": "Default", "messages": [{"role": "user", "content": "Hello"}]}'
    sent = {"Content-Type": "application/json", **bearer(site)}
    told = [ask(site, "POST", CHAT, sent, body=body) for _ in range(2)]
    assert [status for status, _ in told] == [200, 429]
    assert {headers[ALLOWED] for _, headers in told} == {APP}
    assert int(told[1][1]["retry-after"]) > 0


@pytest.mark.parametrize(
    "path", ["/", "/accounts/login/", "/admin/", "/healthz", "/metrics", "/static/x", "/v1", "/apis"]
)
def test_pages_say_nothing_to_other_origins(site: LiveSite, path: str) -> None:
    asked = {"Access-Control-Request-Method": "POST"}
    for method, more in (("GET", {}), ("OPTIONS", asked)):
        _, headers = ask(site, method, path, more)
        assert cross_origin(headers) == {}


def test_without_the_setting_nothing_is_said(lasting_site: LiveSite) -> None:
    for origin in (APP, None):
        _, headers = ask(lasting_site, "GET", "/v1/models", {}, origin)
        assert cross_origin(headers) == {}
        assert "vary" not in headers
