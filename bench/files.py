"""What files cost the host: `python -m bench files`.

Ten uploads of the largest size at once beside one, by the resident memory of the process; the same files within
requests of a program, as base64; a PDF of 100 pages beside a text of the same length.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

import httpx2

from bench.client import PATIENCE
from bench.provider import Provider
from bench.report import Figure, Section
from bench.site import Site, World
from tests.extraction import samples

MEGABYTE = 1_000_000
LARGEST = 25
AT_ONCE = 10
PAGES = 100
_LINE = b"On page %d the report says that the sea is deep and old there, and nobody has seen its ground.\n"
_FORM_PATIENCE = 10 * PATIENCE


async def add_file(url: str, token: str, name: str, content: bytes) -> str:
    """Add a file of a user, and return its id."""
    async with httpx2.AsyncClient(timeout=_FORM_PATIENCE) as client:
        headers = {"Authorization": f"Bearer {token}"}
        answer = await client.post(f"{url}api/files/", headers=headers, files={"file": (name, content)})
        answer.raise_for_status()
        file_id: str = answer.json()["id"]
        return file_id


async def _converse(url: str, token: str, content: bytes) -> None:
    """Ask a question with a file, as a program does."""
    data = f"data:text/plain;base64,{base64.b64encode(content).decode()}"
    parts = [{"type": "file", "file": {"file_data": data, "filename": "report.txt"}}]
    body = json.dumps({"model": "Default", "messages": [{"role": "user", "content": parts}]}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    async with httpx2.AsyncClient(timeout=_FORM_PATIENCE) as client:
        (await client.post(f"{url}v1/chat/completions", headers=headers, content=body)).raise_for_status()


async def figures(quick: bool, folder: Path, provider: Provider) -> list[Section]:
    """Memory while files come, and the time that reading one takes."""
    world = World(folder, provider.url)
    [token] = world.seed(1).tokens
    size = (3 if quick else LARGEST) * MEGABYTE
    memory: list[Figure] = []
    for name, send in (("uploads", _upload), ("requests of a program with a file each", _converse)):
        for count in (1, AT_ONCE):
            # Fresh: what an earlier part has freed would hide what is held here.
            with world.site(HERMES_FILE_QUOTA="2GB") as site:
                await add_file(site.url, token, "first.txt", os.urandom(8).hex().encode())
                memory.append(await _while_sent(site, token, f"{count} {name}", send, count, size))
    with world.site() as site:
        reading = await _reading(site, token, 2 if quick else 10)
    title = f"Memory of the process while files of {size // MEGABYTE} MB come at once"
    return [Section(title, memory), Section(f"A document of {PAGES} pages, from its first byte to the answer", reading)]


async def _upload(url: str, token: str, content: bytes) -> None:
    await add_file(url, token, "report.txt", content)


async def _while_sent(
    site: Site, token: str, name: str, send: Callable[[str, str, bytes], Awaitable[None]], count: int, size: int
) -> Figure:
    contents = [_text(size, number) for number in range(count)]
    before, began, most = site.memory.rss, perf_counter(), 0.0
    sending = asyncio.gather(*(send(site.url, token, content) for content in contents))
    while not sending.done():
        most = max(most, site.memory.rss)
        await asyncio.wait([sending], timeout=0.02)
    await sending
    grown = most - before
    shown = f"{before:.0f} MB before, {most:.0f} MB at most; {perf_counter() - began:.1f} s"
    return Figure(name, f"{grown / (count * size / MEGABYTE):.2f} x what is sent", "", shown)


def _text(size: int, number: int) -> bytes:
    line = b"File %d: the sea is deep and old there.\n" % number
    return (line * (size // len(line) + 1))[:size]


async def _reading(site: Site, token: str, rounds: int) -> list[Figure]:
    pages = [(_LINE % page * 30).decode() for page in range(PAGES)]
    took: dict[str, list[float]] = {"text": [], "pdf": []}
    for number in range(rounds):
        mark = os.urandom(8).hex()
        for kind, content in (
            ("text", "".join([mark, *pages]).encode()),
            ("pdf", samples.pdf(f"{number} {mark}", *pages)),
        ):
            began = perf_counter()
            await add_file(site.url, token, f"report.{kind}", content)
            took[kind].append(perf_counter() - began)
    least = min(took["text"])
    return [
        Figure("as plain text", "1.00 x", "", f"{least * 1000:.0f} ms"),
        Figure("as a PDF", f"{min(took['pdf']) / least:.2f} x", "", f"{min(took['pdf']) * 1000:.0f} ms"),
    ]
