"""The headers of every answer: pages, files, errors, with TLS before the site and without."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPMessage

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from hermes_site import health
from hermes_site.headers import SERVER
from tests.live import LiveSite
from tests.peers import Browser
from tests.processes import PATIENCE

POLICY = "Content-Security-Policy"
# Of all answers alike; the policy is looked at by itself.
SAME = {name: value for name, value in SERVER.items() if name not in (POLICY, "Content-Type", "Cache-Control")}
PAGES = ["/accounts/login/", "/nothing-is-here", "/static/sessions_app/icon.svg", "/healthz"]


@pytest.fixture(scope="module")
def site(start_site: Callable[..., LiveSite]) -> Iterator[LiveSite]:
    """A real site behind a proxy; it must have logged no error when it ends."""
    running = start_site(TRUSTED_PROXY="127.0.0.1")
    yield running
    assert running.stop() == 0
    assert running.errors() == []


@pytest.fixture(params=["nobody", "admin"])
def cookies(request: pytest.FixtureRequest, site: LiveSite) -> dict[str, str]:
    """Of a browser in which this user is logged in."""
    browser = Browser(site)
    if request.param != "nobody":
        browser.log_in(request.param)
    return browser.headers


def answer(site: LiveSite, path: str, method: str = "GET", **fields: str) -> tuple[int, HTTPMessage]:
    """Status and headers."""
    connection = HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
    connection.request(method, path, headers=fields)
    found = connection.getresponse()
    connection.close()
    return found.status, found.headers


def addresses(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """An address of each pattern of the site."""
    for entry in (resolver or get_resolver()).url_patterns:
        address = before + sample(str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from addresses(entry, address)
        elif isinstance(entry, URLPattern):
            yield address


def sample(pattern: str) -> str:
    """What fits into a pattern: 1 for what is converted, the first choice of a group."""
    first = re.sub(r"\(\?P<\w+>([\w.*]+)[^)]*\)", lambda found: found[1].replace(".*", "x"), pattern)
    return re.sub(r"<[^<>]+>", "1", first).lstrip("^").rstrip("$")


def assert_headers(headers: HTTPMessage, what: str) -> None:
    assert {name: headers.get_all(name) for name in SAME} == {name: [value] for name, value in SAME.items()}, what
    policy = headers[POLICY]
    assert "default-src 'none'" in policy, what
    assert "unsafe" not in policy, what
    assert "Server" not in headers, what


@pytest.mark.thorough
def test_every_address_of_the_site(site: LiveSite, cookies: dict[str, str]) -> None:
    walked = {f"/{address}" for address in addresses()}
    assert {"/", "/healthz", "/admin/auth/user/1/change/", "/admin/r/", "/api/openrpc.json"} <= walked
    for path in walked | {"/static/sessions_app/icon.svg", "/static/admin/js/core.js"}:
        assert_headers(answer(site, path, **cookies)[1], path)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing-is-here", 404),
        ("GET", "/static/nothing-is-here", 404),
        ("PUT", "/accounts/login/", 403),
        ("DELETE", "/static/sessions_app/icon.svg", 405),
        ("GET", "/metrics", 401),
    ],
)
def test_refusals(site: LiveSite, method: str, path: str, status: int) -> None:
    told, headers = answer(site, path, method)
    assert told == status
    assert_headers(headers, path)


def test_a_foreign_host(site: LiveSite) -> None:
    status, headers = answer(site, "/healthz", Host="evil.example")
    assert status == 400
    assert_headers(headers, "foreign host")


def test_a_fault(site: LiveSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise RuntimeError

    monkeypatch.setattr(health, "_database_answers", fail)
    fault = Client(raise_request_exception=False).get("/healthz")
    assert fault.status_code == 500
    assert SAME.items() <= fault.headers.items()
    assert "default-src 'none'" in fault.headers[POLICY]


@pytest.mark.parametrize("path", PAGES)
def test_who_came_by_tls_is_told_to_come_back_so(site: LiveSite, path: str) -> None:
    by_tls = answer(site, path, **{"X-Forwarded-Proto": "https"})[1]
    assert_headers(by_tls, path)
    assert by_tls.get_all("Strict-Transport-Security") == ["max-age=31536000"]
    assert "Strict-Transport-Security" not in answer(site, path)[1]


def test_trusted_types_where_the_scripts_can_do_with_them(site: LiveSite) -> None:
    browser = Browser(site)
    browser.log_in("admin")
    for path, strict in (("/admin/", True), ("/admin/auth/user/", False), ("/", True)):
        headers = answer(site, path, **browser.headers)[1]
        assert_headers(headers, path)
        directives = headers[POLICY].split("; ")
        assert ("require-trusted-types-for 'script'" in directives) is strict, path
        assert ("trusted-types hermes-markdown" in directives) is strict, path


def test_answers_of_the_server_itself(site: LiveSite) -> None:
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nHost: 127.0.0.1\r\n"
    key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    for asked, status in (
        ("nonsense\r\n\r\n", 400),
        (f"GET /ws/chat/ HTTP/1.1\r\n{upgrade}\r\n", 400),
        (f"GET /ws/chat/ HTTP/1.1\r\n{upgrade}{key}Cookie: sessionid=x\r\n\r\n", 403),
        (f"GET /nothing-is-here HTTP/1.1\r\n{upgrade}{key}\r\n", 403),
    ):
        with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as client:
            client.sendall(asked.encode())
            head, *fields = client.makefile(encoding="latin1").read().partition("\n\n")[0].splitlines()
        assert head.split()[1] == str(status), asked
        assert SERVER.items() <= dict(field.split(": ", 1) for field in fields).items(), asked
