# ruff: noqa: RUF001 - digits and letters of other writings are meant
"""Connections are made to checked addresses, however a host is spelt and whatever its name says the next time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.outbound.client import checked_client
from sessions_app.outbound.connecting import CheckedBackend, NotPublic, Rules, UnknownHost, look_up
from tests.outbound.strangers import HERE, Names, Server, answer, fetcher, serving
from tests.outbound.test_addresses import PRIVATE


@pytest.fixture(scope="module")
def listening() -> Iterator[socket.socket]:
    """A socket at each address of this machine that takes no connection by itself."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        server.settimeout(0)
        yield server


async def refused(url: str, rules: Rules | None = None) -> httpx2.HTTPError:
    async with checked_client(rules or Rules()) as client:
        with pytest.raises(httpx2.HTTPError) as error:
            await client.get(url)
    return error.value


def nobody_came(listening: socket.socket) -> bool:
    try:
        listening.accept()
    except BlockingIOError:
        return True
    return False


def spellings(address: IPv4Address) -> list[str]:
    """Ways to write an IPv4 address that the system's look-up or a reader of URLs may take for it."""
    a, b, c, d = address.packed
    number = int(address)
    return [
        f"{a}.{b}.{c}.{d}", f"{number}", f"0x{number:x}", f"0{number:o}", f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"{a}.{b}.{c * 256 + d}", f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{c}.{d}.", f"00{a}.00{b}.{c}.{d}", f"0x{a:02x}.{number & 0xFFFFFF:#x}",
        f"[::ffff:{a}.{b}.{c}.{d}]", f"[::{a}.{b}.{c}.{d}]", f"[64:ff9b::{a}.{b}.{c}.{d}]",
        f"[0:0:0:0:0:ffff:{a:02x}{b:02x}:{c:02x}{d:02x}]", f"[2002:{a:02x}{b:02x}:{c:02x}{d:02x}::]",
        "".join(chr(ord("０") + int(digit)) if digit.isdigit() else "。" for digit in f"{a}.{b}.{c}.{d}"),
        f"{a}%2e{b}%2E{c}%2e{d}", f"%31{str(a)[1:]}.{b}.{c}.{d}",
    ]  # fmt: skip


@given(st.integers(1, 254).map(lambda last: IPv4Address(f"127.0.0.{last}")), st.data())
def test_no_spelling_of_a_private_address_is_connected_to(
    listening: socket.socket, address: IPv4Address, data: st.DataObject
) -> None:
    spelt = data.draw(st.sampled_from(spellings(address)))
    scheme = data.draw(st.sampled_from(["http", "HTTP"]))
    port = listening.getsockname()[1]

    async def ask() -> None:
        async with checked_client(Rules()) as client:
            with pytest.raises((httpx2.HTTPError, httpx2.InvalidURL)):
                await client.get(f"{scheme}://{spelt}:{port}/")

    asyncio.run(ask())
    assert nobody_came(listening)


@pytest.mark.parametrize(
    "authority",
    [
        "localhost", "localhost.", "LOCALHOST", "ｌocalhost", "user@localhost", "example.com@127.0.0.1",
        "example.com:80@127.0.0.1", "127.0.0.1#@example.com", "0", "0.0.0.0", "[::]", "[::1]", "[fe80::1%251]",
        "①②⑦.⓪.⓪.①", "127.0.0.1%00.example.com",
    ],
)  # fmt: skip
async def test_no_name_of_this_machine_is_connected_to(listening: socket.socket, authority: str) -> None:
    port = listening.getsockname()[1]
    host, hash_sign, rest = authority.partition("#")
    async with checked_client(Rules()) as client:
        with pytest.raises((httpx2.HTTPError, httpx2.InvalidURL)):
            await client.get(f"http://{host}:{port}/{hash_sign}{rest}")
    assert nobody_came(listening)


async def test_a_host_is_looked_up_by_the_system() -> None:
    assert set(await look_up("localhost", 80)) <= {"127.0.0.1", "::1"}
    assert await look_up("0x7f000001", 80) == ["127.0.0.1"]


@pytest.mark.parametrize("address", [address for address, _ in PRIVATE if address[-1:].isdigit()])
async def test_a_name_that_leads_to_a_private_address(names: Names, address: str) -> None:
    names.set("private.example", [address])
    assert isinstance(await refused("http://private.example/", Rules(look_up=names.look_up)), NotPublic)


async def test_a_name_whose_second_answer_is_private_is_not_asked_again(names: Names, server: Server) -> None:
    server.replies["/"] = answer(b"public")
    names.set("rebinding.example", [HERE], ["127.0.0.2"])
    async with serving("127.0.0.2", port=server.port) as private:
        rules = fetcher(names, server).rules
        async with checked_client(rules) as client:
            assert (await client.get(f"http://rebinding.example:{server.port}/")).text == "public"
            with pytest.raises(NotPublic):
                await client.get(f"http://rebinding.example:{server.port}/")
    assert (len(server.requests), len(private.requests)) == (1, 0)
    assert names.asked == ["rebinding.example"] * 2


async def test_of_several_addresses_only_the_allowed_are_tried(names: Names, server: Server) -> None:
    server.replies["/"] = answer(b"public")
    names.set("both.example", ["10.0.0.1", "127.0.0.2", "::1", HERE])
    rules = fetcher(names, server).rules
    async with serving("127.0.0.2", port=server.port) as private, checked_client(rules) as client:
        assert (await client.get(f"http://both.example:{server.port}/")).text == "public"
        assert private.requests == []
    assert "Host: both.example" in server.requests[0]


async def test_of_several_addresses_the_next_is_tried_where_one_does_not_answer(names: Names, server: Server) -> None:
    server.replies["/"] = answer(b"here")
    names.set("both.example", ["127.0.0.3", HERE])
    rules = Rules(lambda address, port: address in ("127.0.0.3", HERE), names.look_up)
    async with checked_client(rules) as client:
        assert (await client.get(f"http://both.example:{server.port}/")).text == "here"


async def test_a_name_that_does_not_exist(names: Names) -> None:
    assert isinstance(await refused("http://nowhere.example/", Rules(look_up=names.look_up)), UnknownHost)
    assert isinstance(await refused("http://" + "a" * 70 + ".example/"), UnknownHost)


async def test_no_socket_of_this_machine_is_connected_to() -> None:
    with pytest.raises(NotPublic):
        await CheckedBackend(Rules()).connect_unix_socket("/run/docker.sock")


async def test_no_proxy_of_the_environment_is_used(
    names: Names, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.replies["/"] = answer(b"direct")
    async with serving() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://{HERE}:{proxy.port}")
        async with checked_client(fetcher(names, server).rules) as client:
            assert (await client.get(f"http://site.example:{server.port}/")).text == "direct"
    assert proxy.requests == []
