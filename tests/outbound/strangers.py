"""Servers that strangers own, on loopback, and the names that lead to them."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sessions_app.outbound.addresses import is_public
from sessions_app.outbound.connecting import Rules
from sessions_app.outbound.fetching import Fetcher

HERE = "127.0.0.1"
Writer = asyncio.StreamWriter
Handle = Callable[[asyncio.StreamReader, Writer], Awaitable[None]]
Reply = Callable[[Writer], Awaitable[None]]


def answer(body: bytes, media_type: str = "text/html", *headers: str, status: str = "200 OK") -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    lines += [f"Content-Type: {media_type}"] if media_type else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def redirect(to: str, status: str = "302 Found") -> bytes:
    """An answer that leads on."""
    return answer(b"", "text/html", f"Location: {to}", status=status)


class Server:
    """Answers each request by the bytes or the function that stand in `replies` for its path, and notes it."""

    def __init__(self) -> None:
        self.replies: dict[str, bytes | Reply] = {}
        self.requests: list[str] = []
        self.ended = asyncio.Event()
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(request)
            reply = self.replies[request.split(" ")[1]]
            if isinstance(reply, bytes):
                writer.write(reply)
            else:
                await reply(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.ended.set()
            writer.close()


@asynccontextmanager
async def serving(
    address: str = HERE, tls: ssl.SSLContext | None = None, port: int = 0, handle: Handle | None = None
) -> AsyncIterator[Server]:
    """Run a server, whose connections `handle` takes if not itself."""
    server = Server()
    listening = await asyncio.start_server(handle or server.handle, address, port, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


class Names:
    """What stands for the system's look-up: each name's answers, one after the other; the last one for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []

    def set(self, name: str, *answers: Iterable[str]) -> None:
        self.answers[name] = [list(addresses) for addresses in answers]

    async def look_up(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        answers = self.answers.get(host)
        if answers is None:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


def fetcher(names: Names, *servers: Server, authorities: ssl.SSLContext | None = None) -> Fetcher:
    """What fetches of public addresses, and of these servers at 127.0.0.1 alone."""
    ports = {server.port for server in servers}

    def may_connect(address: str, port: int) -> bool:
        return is_public(address) or (address == HERE and port in ports)

    return Fetcher(Rules(may_connect, names.look_up), range(1, 65_536), authorities)


def certified(folder: Path, name: str, *, days: int = 1) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server of that name shows, and what holds it for true; one of a negative number of days has run out."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([_general(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{name}.pem"
    file.write_bytes(private + pem)
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(file)
    return shown, ssl.create_default_context(cadata=pem.decode())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
