"""An account exported, and imported at an empty host: `python -m bench transfer`, its time and the process's memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx2

from bench.provider import Provider
from bench.report import Figure, Section
from bench.site import Site, World

SESSIONS, MESSAGES = 1_000, 100
"""Sessions, and messages of each."""
QUICK_SESSIONS = 50

_PATIENCE = 600.0
_PAUSE = 0.1
Begin = Callable[[httpx2.AsyncClient], Coroutine[Any, Any, httpx2.Response]]


async def there_and_back(quick: bool, folder: Path, provider: Provider) -> list[Section]:
    """Export at one host, import at another that knows the user and nothing else."""
    count = QUICK_SESSIONS if quick else SESSIONS
    figures = []
    archive = folder / "account.zip"
    full, empty = (World(_made(folder / name), provider.url) for name in ("full", "empty"))
    seed = full.seed(1, [MESSAGES] * count)
    with full.site() as site:
        figures.append(await _measured("export", site, seed.tokens[0], _export, archive))
    [token] = empty.seed(1).tokens

    async def bring(client: httpx2.AsyncClient) -> httpx2.Response:
        with archive.open("rb") as file:
            return await client.post("api/account/import", files={"file": ("account.zip", file)})

    with empty.site() as site:
        figures.append(await _measured("import", site, token, bring))
        figures.append(await _measured("import of the same file again", site, token, bring))
    return [Section(f"{count:,} sessions with {count * MESSAGES:,} messages", figures)]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def _export(client: httpx2.AsyncClient) -> httpx2.Response:
    return await client.post("api/account/export")


async def _measured(name: str, site: Site, token: str, begin: Begin, archive: Path | None = None) -> Figure:
    """Have a job done, and keep what it has made."""
    before, began, most = site.memory.rss, perf_counter(), 0.0
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=site.url, headers=headers, timeout=_PATIENCE) as client:
        job = (await begin(client)).raise_for_status().json()["job"]
        while job["state"] in ("waiting", "running"):
            most = max(most, site.memory.rss)
            await asyncio.sleep(_PAUSE)
            job = (await client.get(f"api/jobs/{job['id']}")).raise_for_status().json()
        took = perf_counter() - began
        if job["state"] != "done":
            raise RuntimeError(f"the {name} has failed: {job['report']}")
        size = ""
        if archive is not None:
            content = (await client.get(f"api/jobs/{job['id']}/result")).raise_for_status().content
            await asyncio.to_thread(archive.write_bytes, content)
            size = f", {len(content) / 1e6:.1f} MB"
    told = {kind: job["report"].get(kind) for kind in ("sessions", "messages", "there", "left_out_count")}
    beside = f"{before:.0f} MB before, {most:.0f} MB at most{size}; {told}"
    return Figure(name, f"{took:.1f} s, +{most - before:.0f} MB", "", beside)
