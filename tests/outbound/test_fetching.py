"""What is fetched, and why nothing is: in one sentence each."""

from __future__ import annotations

import asyncio
import gzip
import io
import ssl
from pathlib import Path

import pytest

from sessions_app.outbound import fetching
from sessions_app.outbound.fetching import Fetched, Fetcher, FetchError
from tests.outbound.strangers import (
    HERE,
    Names,
    Reply,
    Server,
    Writer,
    answer,
    certified,
    fetcher,
    redirect,
    serving,
)

UNSAFE = "the server's certificate does not hold, or it speaks no TLS."
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


async def fetched(fetch: Fetcher, url: str) -> tuple[Fetched, bytes]:
    into = io.BytesIO()
    return await fetch.fetch(url, ("image/",), into), into.getvalue()


async def why_not(fetch: Fetcher, url: str) -> str:
    with pytest.raises(FetchError) as error:
        await fetched(fetch, url)
    return error.value.text


async def why_not_from(names: Names, server: Server, reply: bytes | Reply) -> str:
    server.replies["/"] = reply
    return await why_not(fetcher(names, server), f"http://site.example:{server.port}/")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a time-out comes as soon as nothing else happens."""
    monkeypatch.setattr(fetching, "SECONDS", 0.2)


async def test_a_page_is_fetched_with_what_its_server_says_of_it(names: Names, server: Server) -> None:
    server.replies["/a?b=c"] = answer(b"<p>Hello", "Text/HTML; charset=iso-8859-1")
    url = f"http://site.example:{server.port}/a?b=c"
    assert await fetched(fetcher(names, server), f"{url}#d") == (
        Fetched(f"{url}#d", "text/html", "iso-8859-1"),
        b"<p>Hello",
    )
    [request] = server.requests
    assert request.startswith("GET /a?b=c HTTP/1.1\r\n")
    assert "user-agent: HermesSite/1.0" in request
    assert "cookie" not in request.lower()
    assert "authorization" not in request.lower()


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
async def test_a_redirect_is_followed(names: Names, server: Server, status: str) -> None:
    server.replies |= {"/": redirect("/next", status), "/next": answer(b"there")}
    found, body = await fetched(fetcher(names, server), f"http://site.example:{server.port}/")
    assert (found.url, body) == (f"http://site.example:{server.port}/next", b"there")


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.2:{port}/", "//127.0.0.2:{port}/", "http://private.example:{port}/", "http://0x7f000002:{port}/",
        "http://[::ffff:127.0.0.2]:{port}/", "http://2130706434:{port}/",
    ],
)  # fmt: skip
async def test_a_redirect_to_a_private_address(names: Names, server: Server, to: str) -> None:
    names.set("private.example", ["127.0.0.2"])
    for host in ("127.0.0.2", "0x7f000002", "2130706434", "::ffff:127.0.0.2"):
        names.set(host, ["127.0.0.2"])
    async with serving("127.0.0.2", port=server.port) as private:
        told = await why_not_from(names, server, redirect(to.format(port=server.port)))
        assert private.requests == []
    assert told == "the address leads to no public host."


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("file:///etc/passwd", "only addresses that begin with http:// or https:// are read."),
        ("gopher://127.0.0.1:6379/_x", "only addresses that begin with http:// or https:// are read."),
        ("http://a:b@site.example/", "an address with a user name or a password is not read."),
        ("http://site.example:99999/", "only the ports of web sites, 80 and 443, are asked."),
        ("http://[::1/", "the server leads on to what is no web address."),
        ("http://site.example/" + "x" * 2000, "the address has more than 2,000 characters."),
    ],
)
async def test_a_redirect_to_what_is_not_read(names: Names, server: Server, to: str, told: str) -> None:
    assert await why_not_from(names, server, redirect(to)) == told


async def test_redirects_in_a_circle(names: Names, server: Server) -> None:
    assert await why_not_from(names, server, redirect("/")) == "the address leads on to others, more than 5 times."
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://site.example/", "only addresses that begin with http:// or https:// are read."),
        ("site.example", "only addresses that begin with http:// or https:// are read."),
        ("", "only addresses that begin with http:// or https:// are read."),
        ("http://", "only addresses that begin with http:// or https:// are read."),
        ("javascript:alert(1)", "only addresses that begin with http:// or https:// are read."),
        ("http://me@site.example/", "an address with a user name or a password is not read."),
        ("http://site.example:22/", "only the ports of web sites, 80 and 443, are asked."),
        ("https://site.example:6379/", "only the ports of web sites, 80 and 443, are asked."),
        ("http://site.example/\r\nHost: other", "this is no web address."),
        ("http://[::1/", "this is no web address."),
        ("http://xn--\u00e9.example/", "this is no web address."),
        ("http://nowhere.example/", "the address leads to no public host."),
        ("http://10.0.0.1/", "the address leads to no public host."),
        ("http://site.example/" + "x" * 2000, "the address has more than 2,000 characters."),
    ],
)
async def test_an_address_that_is_not_read(names: Names, url: str, told: str) -> None:
    names.set("10.0.0.1", ["10.0.0.1"])
    assert await why_not(Fetcher(fetcher(names).rules), url) == told


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (answer(b"gone", status="404 Not Found"), "the server answered with the status 404."),
        (answer(b"oh", status="500 Oh"), "the server answered with the status 500."),
        (answer(b"", status="304 Same"), "the server answered with the status 304."),
        (b"HTTP/1.1 302 No\r\nContent-Length: 0\r\n\r\n", "the server answered with the status 302."),
        (answer(b"\x89PNG", "image/png"), "what stands there (image/png) is no text."),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the server broke off, or spoke no HTTP."),
        (b"", "the server broke off, or spoke no HTTP."),
        (HEAD + b"Content-Length: 10\r\n\r\nshort", "the server broke off, or spoke no HTTP."),
        (HEAD + b"Content-Length: -1\r\n\r\nx", "the server broke off, or spoke no HTTP."),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "the server broke off, or spoke no HTTP."),
        (answer(b"no gzip", "text/html", "Content-Encoding: gzip"), "what the server sent is damaged."),
        (HEAD + b"X: " + b"x" * 300_000 + b"\r\n\r\n", "the server broke off, or spoke no HTTP."),
    ],
)
async def test_an_answer_that_is_none(names: Names, server: Server, reply: bytes, told: str) -> None:
    assert await why_not_from(names, server, reply) == told


async def test_a_page_of_a_hundred_megabytes(names: Names, server: Server) -> None:
    async def endless(writer: Writer) -> None:
        writer.write(HEAD + b"Content-Length: 100000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 100_000)
            await writer.drain()

    assert await why_not_from(names, server, endless) == "the page is larger than 10 MB."


async def test_a_page_that_unpacks_to_a_hundred_megabytes(names: Names, server: Server) -> None:
    packed = gzip.compress(bytes(100_000_000), 1)
    assert len(packed) < 1_000_000
    bomb = answer(packed, "text/html", "Content-Encoding: gzip")
    assert await why_not_from(names, server, bomb) == "the page is larger than 10 MB."


async def test_a_compressed_page(names: Names, server: Server) -> None:
    server.replies["/"] = answer(gzip.compress(b"Hello"), "text/plain", "Content-Encoding: gzip")
    _, body = await fetched(fetcher(names, server), f"http://site.example:{server.port}/")
    assert body == b"Hello"


async def dripping_headers(writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def dripping_body(writer: Writer) -> None:
    writer.write(HEAD + b"Content-Length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def preliminary(writer: Writer) -> None:
    while not writer.is_closing():
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def silence(writer: Writer) -> None:
    await asyncio.Event().wait()


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("reply", [dripping_headers, dripping_body, preliminary, silence])
async def test_a_server_that_never_comes_to_an_end(names: Names, server: Server, reply: Reply) -> None:
    assert await why_not_from(names, server, reply) == "the page was not there within 0.2 seconds."


@pytest.mark.usefixtures("at_once")
async def test_names_that_are_never_found() -> None:
    class Silent(Names):
        async def look_up(self, host: str, port: int) -> list[str]:
            await asyncio.Event().wait()
            return []

    told = await why_not(fetcher(Silent()), "http://slow.example/")
    assert told == "the page was not there within 0.2 seconds."


async def test_a_port_where_nobody_listens(names: Names) -> None:
    async with serving() as server:
        pass
    names.set("site.example", [HERE])
    told = await why_not(fetcher(names, server), f"http://site.example:{server.port}/")
    assert told == "the server cannot be reached."


class TestTls:
    """A certificate is held against the name, though the connection is made to an address."""

    @staticmethod
    async def asked(
        names: Names, shown: ssl.SSLContext, trusted: ssl.SSLContext | None, host: str = "safe.example"
    ) -> bytes:
        names.set(host, [HERE])
        async with serving(tls=shown) as server:
            server.replies["/"] = answer(b"safe")
            _, body = await fetched(fetcher(names, server, authorities=trusted), f"https://{host}:{server.port}/")
            return body

    async def test_a_certificate_of_the_name(self, names: Names, tmp_path: Path) -> None:
        assert await self.asked(names, *await asyncio.to_thread(certified, tmp_path, "safe.example")) == b"safe"

    async def test_a_certificate_of_an_address(self, names: Names, tmp_path: Path) -> None:
        assert await self.asked(names, *await asyncio.to_thread(certified, tmp_path, HERE), HERE) == b"safe"

    @pytest.mark.parametrize(
        ("name", "days", "host"),
        [
            ("safe.example", 1, "other.example"),
            (HERE, 1, "safe.example"),  # of the address that the name leads to
            ("safe.example", -1, "safe.example"),
        ],
    )
    async def test_one_that_does_not_hold(self, names: Names, tmp_path: Path, name: str, days: int, host: str) -> None:
        shown, trusted = await asyncio.to_thread(lambda: certified(tmp_path, name, days=days))
        with pytest.raises(FetchError, match=UNSAFE):
            await self.asked(names, shown, trusted, host)

    async def test_one_of_no_authority(self, names: Names, tmp_path: Path) -> None:
        shown, _ = await asyncio.to_thread(certified, tmp_path, "safe.example")
        with pytest.raises(FetchError, match=UNSAFE):
            await self.asked(names, shown, None)

    async def test_a_server_without_tls(self, names: Names) -> None:
        async def plain(reader: asyncio.StreamReader, writer: Writer) -> None:
            await reader.read(10)
            writer.write(answer(b"", status="400 Bad Request"))
            await writer.drain()
            writer.close()

        async with serving(handle=plain) as server:
            names.set("site.example", [HERE])
            assert await why_not(fetcher(names, server), f"https://site.example:{server.port}/") == UNSAFE


async def test_the_site_asks_the_ports_of_web_sites_alone() -> None:
    assert set(Fetcher().ports) == {80, 443}
