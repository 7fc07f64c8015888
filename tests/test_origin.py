"""Which pages may open a WebSocket with a user's cookie, and whom a proxy may speak for."""

import ipaddress
from http.client import HTTPConnection
from typing import Any

import pytest
from pytest_django import Settings

from hermes_site.origin import OwnOrigin
from hermes_site.proxy import TrustedProxy
from tests.live import LiveSite
from tests.processes import PATIENCE

Headers = dict[str, str]
COOKIE = {"cookie": "a=1; sessionid=abc"}


async def passes(headers: Headers, scheme: str = "ws", query: str = "") -> bool:
    """Whether a handshake reaches the application; else it was closed, which is a 403."""
    reached, sent = [], []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    encoded = [(name.encode(), value.encode("latin1")) for name, value in headers.items()]
    scope = {"type": "websocket", "scheme": scheme, "headers": encoded, "query_string": query.encode()}
    await OwnOrigin(application)(scope, None, send)
    assert bool(reached) != (sent == [{"type": "websocket.close"}])
    return bool(reached)


@pytest.fixture(autouse=True)
def site(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "[::1]", "chat.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example:8443", "https://*.partner.example"]
    settings.HERMES_API_ORIGINS = [("https", "elsewhere.example", 443)]


@pytest.mark.parametrize(
    "origin", [None, "https://elsewhere.example", "https://elsewhere.example:443", "http://chat.example"]
)
@pytest.mark.parametrize("more", [{}, COOKIE])
async def test_a_ticket_passes_from_where_it_may_be_used(origin: str | None, more: Headers) -> None:
    headers = {"host": "chat.example", **more, **({"origin": origin} if origin else {})}
    assert await passes(headers, query="a=1&ticket=abc")


@pytest.mark.parametrize(
    "origin", ["http://elsewhere.example", "https://elsewhere.example:8443", "https://a.elsewhere.example", "null", ""]
)
async def test_a_ticket_from_any_other_page_is_refused(origin: str) -> None:
    assert not await passes({"host": "chat.example", "origin": origin}, query="ticket=abc")


async def test_a_listed_origin_never_passes_by_the_cookie() -> None:
    assert not await passes({**COOKIE, "host": "chat.example", "origin": "https://elsewhere.example"})


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "ws"),
        ("http://[::1]:8000", "[::1]:8000", "ws"),
        ("http://chat.example", "chat.example", "ws"),
        ("http://chat.example", "chat.example:80", "ws"),
        ("https://chat.example", "chat.example:443", "wss"),
        ("HTTPS://Chat.Example", "chat.example", "wss"),
        ("https://app.example:8443", "127.0.0.1:8000", "ws"),
        ("https://one.partner.example", "127.0.0.1:8000", "ws"),
    ],
)
async def test_the_sites_own_pages_pass(origin: str, host: str, scheme: str) -> None:
    assert await passes({**COOKIE, "origin": origin, "host": host}, scheme)


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://evil.example", "127.0.0.1:8000", "ws"),
        ("http://127.0.0.1:8001", "127.0.0.1:8000", "ws"),
        ("http://127.0.0.1", "127.0.0.1:8000", "ws"),
        ("https://127.0.0.1:8000", "127.0.0.1:8000", "ws"),
        ("http://chat.example", "chat.example", "wss"),
        ("http://chat.example.evil.example", "chat.example", "ws"),
        ("http://chat.example@evil.example", "chat.example", "ws"),
        ("http://evil.example", "evil.example", "ws"),
        ("https://app.example", "127.0.0.1:8000", "ws"),
        ("http://one.partner.example", "127.0.0.1:8000", "ws"),
        ("https://partner.example", "127.0.0.1:8000", "ws"),
        ("https://evilpartner.example", "127.0.0.1:8000", "ws"),
        ("http://127.0.0.1:8000,http://evil.example", "127.0.0.1:8000", "ws"),
        ("http://127.0.0.1:99999", "127.0.0.1:8000", "ws"),
        ("http://[::1", "127.0.0.1:8000", "ws"),
        ("file://", "127.0.0.1:8000", "ws"),
        ("null", "127.0.0.1:8000", "ws"),
        ("", "127.0.0.1:8000", "ws"),
        ("\xff", "127.0.0.1:8000", "ws"),
    ],
)
async def test_foreign_pages_do_not(origin: str, host: str, scheme: str) -> None:
    assert not await passes({**COOKIE, "origin": origin, "host": host}, scheme)


async def test_no_origin_and_a_cookie_does_not_pass() -> None:
    assert not await passes({**COOKIE, "host": "127.0.0.1:8000"})


async def test_with_a_bearer_token_the_origin_does_not_matter() -> None:
    foreign = {**COOKIE, "host": "127.0.0.1:8000", "origin": "http://evil.example"}
    assert await passes({**foreign, "authorization": "Bearer abc"})
    assert await passes({**foreign, "authorization": "bearer abc"})


async def test_basic_credentials_which_a_page_can_put_into_the_url_change_nothing() -> None:
    foreign = {**COOKIE, "host": "127.0.0.1:8000", "origin": "http://evil.example"}
    assert not await passes({**foreign, "authorization": "Basic YTpi"})


async def test_without_cookie_and_token_the_consumer_says_no_itself() -> None:
    assert await passes({"host": "127.0.0.1:8000", "origin": "http://evil.example"})


async def told(client: str, headers: Headers, kind: str = "http") -> tuple[str, str]:
    """Client and scheme that the application sees, behind a proxy at 10.0.0.0/8."""
    seen: dict[str, Any] = {}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)

    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "client": [client, 1], "scheme": kind, "headers": encoded}
    await TrustedProxy(application, [ipaddress.ip_network("10.0.0.0/8")])(scope, None, None)
    return seen["client"][0], seen["scheme"]


FORWARDED = {"x-forwarded-for": "1.1.1.1, 192.0.2.7, 10.0.0.9", "x-forwarded-proto": "https"}


async def test_a_trusted_proxy_is_believed() -> None:
    assert await told("10.0.0.1", FORWARDED) == ("192.0.2.7", "https")
    assert await told("10.0.0.1", FORWARDED, "websocket") == ("192.0.2.7", "wss")


async def test_nobody_else_is() -> None:
    assert await told("192.0.2.1", FORWARDED) == ("192.0.2.1", "http")


async def test_a_proxy_that_says_nothing_changes_nothing() -> None:
    assert await told("10.0.0.1", {}) == ("10.0.0.1", "http")


@pytest.mark.parametrize("peer", ["::ffff:10.0.0.1", "::FFFF:0a00:0001"])
async def test_a_proxy_that_comes_by_ipv4_to_a_socket_of_ipv6_is_the_same(peer: str) -> None:
    assert await told(peer, FORWARDED) == ("192.0.2.7", "https")


@pytest.mark.parametrize(
    ("peer", "known_as"),
    [("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"), ("2001:DB8:0::1", "2001:db8::1")],
)
async def test_a_client_has_one_address_whatever_the_socket(peer: str, known_as: str) -> None:
    assert await told(peer, FORWARDED) == (known_as, "http")


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("192.0.2.7:4711", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:4711, [::ffff:10.0.0.9]:80, 10.0.0.8:81", "192.0.2.7"),
    ],
)
async def test_a_client_is_known_however_its_proxy_writes_it(said: str, client: str) -> None:
    assert await told("10.0.0.1", {"x-forwarded-for": said}) == (client, "http")


def handshake(site: LiveSite, path: str, headers: Headers) -> int:
    connection = HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    connection.request("GET", path, headers={**upgrade, "Sec-WebSocket-Key": "A" * 22 + "==", **headers})
    status = connection.getresponse().status
    connection.close()
    return status


def test_handshakes_with_the_real_server(lasting_site: LiveSite, newcomer: str) -> None:
    site, own = lasting_site, lasting_site.base_url
    assert handshake(site, "/ws/chat/", {**COOKIE, "Origin": own}) == 101
    assert handshake(site, "/ws/chat/", {**COOKIE, "Origin": "http://evil.example"}) == 403
    assert handshake(site, "/ws/chat/", COOKIE) == 403
    assert handshake(site, "/ws/chat/", {"Authorization": f"Bearer {site.tokens[newcomer]}"}) == 101
    assert handshake(site, "/ws/other/", {"Origin": own}) == 403
