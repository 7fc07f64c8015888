"""What an outsider sends at will is answered, and is no fault of the site: no status 500, no ERROR in the log."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from tests.live import LiveSite
from tests.processes import PATIENCE

Start = Callable[..., LiveSite]
FORM = "Content-Type: application/x-www-form-urlencoded"
PARTS = "Content-Type: multipart/form-data; boundary=B"
UPGRADE = ("Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
# A session key with a NUL in it, which PostgreSQL takes no text with.
NUL = 'Cookie: sessionid="\\000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"'


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def site(request: pytest.FixtureRequest) -> Iterator[LiveSite]:
    """A real site, which must have logged no error when it ends."""
    if request.param == "SQLite":
        running = request.getfixturevalue("start_site")()
    else:
        (running,) = request.getfixturevalue("start_sites")(1)
    yield running
    assert running.stop() == 0
    assert running.errors() == []


def asked(path: str, *fields: str, method: str = "GET", body: str = "", host: str = "127.0.0.1") -> bytes:
    """A request, after which the connection ends."""
    length = [f"Content-Length: {len(body)}"] if body else []
    closing = [] if any(field.startswith("Connection") for field in fields) else ["Connection: close"]
    lines = "".join(f"{field}\r\n" for field in (f"Host: {host}", *closing, *fields, *length))
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n{body}".encode("latin1")


def handshake(path: str = "/ws/chat/", *fields: str, host: str = "127.0.0.1") -> bytes:
    return asked(path, "Connection: Upgrade", *UPGRADE, *fields, host=host)


def form(kind: str, body: str) -> bytes:
    """A form that is sent to the login; `TOKEN` in it stands for a CSRF token."""
    return asked(
        "/accounts/login/", kind, f"Cookie: csrftoken={'c' * 32}", method="POST", body=body.replace("TOKEN", "c" * 32)
    )


def part(head: str, body: str = "x") -> str:
    return f"--B\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n"


def status(site: LiveSite, request: bytes) -> int:
    """The status of the answer; the client leaves with it."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as client:
        client.sendall(request)
        head = client.makefile("rb").readline()
    return int(head.split()[1])


PAGES = {
    "no such path": (asked("/%00/%ff"), 404),
    "a path out of the files": (asked("/static/../../etc/passwd"), 404),
    "another site's address": (asked("http://evil.example/"), 404),
    "a foreign host": (asked("/", host="evil.example"), 400),
    "a host that is none": (asked("/static/x", host="a b%00\xff"), 400),
    "two hosts": (asked("/", "Host: evil.example"), 400),
    "a session key with NUL": (asked("/", NUL), 302),
    "a token with NUL": (asked("/metrics", "Authorization: Bearer \\000\xff"), 401),
    "more fields than can be read": (asked("/accounts/login/?" + "a=1&" * 1_500), 400),
    "a redirect without end": (asked("/admin/?" + "a=1&" * 4_000), 400),
    "a date that is none": (asked("/static/x", "If-Modified-Since: Mon, 99 Foo 99999 99:99:99 +9999"), 404),
    "a type that cannot be read": (asked("/", "Content-Type: text/plain; charset*=none''x"), 400),
}
FORMS = {
    "no text encoding": (form(f"{FORM}; charset=hex", "a=1"), 400),
    "another encoding": (form(f"{FORM}; charset=utf-16", "a=1"), 400),
    "parts in no encoding": (form(f"{PARTS}; charset=rot13", part('name="a"') + "--B--"), 400),
    "a part's name in no encoding": (form(PARTS, part("name*=none''x") + "--B--"), 200),
    "no boundary": (form("Content-Type: multipart/form-data", "a=1"), 400),
    "too many fields": (form(FORM, "&".join(["a=1"] * 1_500)), 400),
    "too many parts": (form(PARTS, part('name="a"') * 1_500 + "--B--"), 400),
    "too many files": (form(PARTS, part('name="a"; filename="a"') * 200 + "--B--"), 400),
    "too large": (form(FORM, "a=" + "x" * 2_700_000), 400),
    "a part too large": (form(PARTS, part('name="a"', "x" * 2_700_000) + "--B--"), 400),
    "a name with NUL": (form(FORM, "csrfmiddlewaretoken=TOKEN&username=a%00&password=x"), 200),
}
HANDSHAKES = {
    "no key": (asked("/ws/chat/", "Connection: Upgrade", *UPGRADE[:2]), 400),
    "no version": (asked("/ws/chat/", "Connection: Upgrade", UPGRADE[0], UPGRADE[2]), 400),
    "no upgrade": (asked("/ws/chat/", *UPGRADE), 400),
    "a protocol twice": (handshake("/ws/chat/", "Sec-WebSocket-Protocol: a,a"), 400),
    "an origin that is none": (handshake("/ws/chat/", "Origin: http://[::\xff"), 400),
    "a host that is none": (handshake(host="a:b:c"), 400),
    "another path": (handshake("/%ff%00"), 403),
    "a session key with NUL": (handshake("/ws/chat/", NUL, "Origin: http://127.0.0.1"), 101),
    "a token of odd bytes": (handshake("/ws/chat/", "Authorization: Bearer \xff\xfe"), 101),
}
CASES = [pytest.param(*case, id=f"{kind}: {name}") for kind, cases in
         {"page": PAGES, "form": FORMS, "handshake": HANDSHAKES}.items() for name, case in cases.items()]  # fmt: skip


@pytest.mark.parametrize(("request_", "expected"), CASES)
def test_is_answered(site: LiveSite, request_: bytes, expected: int) -> None:
    assert status(site, request_) == expected


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HT",
        asked("/accounts/login/"),
        form(FORM, "csrfmiddlewaretoken=TOKEN&username=owner&password=x"),
        form(FORM, "a" * 100_000)[:50_000],
        handshake(),
        handshake() + b"\xff" * 500,
        handshake() + b"\x81\x05hello",
    ],
    ids=["half a head", "a page", "a form", "half a body", "a handshake", "noise for frames", "a frame without a mask"],
)
def test_who_leaves_at_once_causes_no_error(site: LiveSite, begun: bytes) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as client:
            client.sendall(begun)
    assert status(site, asked("/accounts/login/")) == 200
