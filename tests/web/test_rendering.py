"""Rendering in processes of its own: what a text may do to them, and what becomes of them."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessions_app.scheduling.allowance import Allowance
from sessions_app.web import markdown, rendering
from sessions_app.web.plain import plain
from sessions_app.web.rendering import TakesTooLong, Workers
from tests.live import ENVIRONMENT, LiveSite
from tests.processes import PATIENCE, ROOT, Process
from tests.test_live import answer, client_of, request
from tests.thorough import thorough

BOLD = '<p dir="auto"><strong>all</strong></p>\n'
FENCE = "```python\ndef f(): pass\n```"


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """Workers of the odd kind, one for all tests: each process takes seconds to load."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "COMMAND", [sys.executable, "-m", "tests.web.odd_worker"])
        workers = Workers()
        yield workers
        workers.close()


def end_all(workers: Workers) -> None:
    """Let the next text be the first one of its worker."""
    while workers.idle:
        workers.idle.pop().end()


async def render(workers: Workers, *texts: str) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        return await workers.render_all(1, list(texts))


async def test_a_worker_is_ready_before_the_first_text() -> None:
    workers = Workers()
    try:
        for _ in range(3):
            workers.start_one()
        await asyncio.to_thread(workers.threads.close)
        assert len(workers.idle) == 1
    finally:
        workers.close()


async def test_who_reads_in_admin_waits_for_no_allowance(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "allowance", Allowance(saved=1e-9, fraction=1e-9, at_once=1))
    await render(workers, "**all**")  # what was saved is used up for a minute
    waiting = asyncio.ensure_future(workers.render_all(1, ["**all**"]))
    async with asyncio.timeout(PATIENCE):
        assert await workers.render_for_staff(1, ["**all**"] * 3) == [BOLD] * 3
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


def await_end(pid: int) -> None:
    """Return once a process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with open(descriptor, "rb") as process:
        assert select.select([process], [], [], PATIENCE)[0]


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for told in Path(f"/proc/{pid}/task").glob("*/children") for child in told.read_text().split()]


async def test_html_comes_in_the_order_of_the_texts_from_another_process(workers: Workers) -> None:
    texts = [f"number **{number}**" for number in range(50)]
    assert await render(workers, *texts) == [
        f'<p dir="auto">number <strong>{number}</strong></p>\n' for number in range(50)
    ]
    assert os.getpid() not in [worker.pid for worker in workers.idle]


@pytest.mark.parametrize("text", ["", "\0 \ud800 \U0001f600", "a\r\nb\n", "x" * 100_000])
async def test_every_string_comes_back(workers: Workers, text: str) -> None:
    assert await render(workers, text) == [markdown.render(text)]


async def test_the_first_text_looks_like_every_other(workers: Workers) -> None:
    end_all(workers)
    first, second = await render(workers, FENCE), await render(workers, FENCE)
    assert first == second
    assert '<span class="k">def</span>' in first[0]


@pytest.mark.parametrize("text", ["loop", "raise", thorough("catch"), thorough("destructor")])
async def test_a_text_over_its_budget_is_shown_as_it_was_written(workers: Workers, text: str) -> None:
    await render(workers, "**all**")
    before = [worker.pid for worker in workers.idle]
    assert await render(workers, text, "**all**") == [plain(text), BOLD]
    assert set(before) <= {worker.pid for worker in workers.idle}  # it was broken off, and its worker goes on


@pytest.mark.parametrize("text", ["die", thorough("extension")])
async def test_a_worker_that_ends_with_its_text_is_replaced(workers: Workers, text: str) -> None:
    assert await render(workers, text) == [plain(text)]
    assert await render(workers, "**all**") == [BOLD]


async def test_a_worker_that_sleeps_is_replaced(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    await render(workers, "**all**")
    sleeping = workers.idle[0].pid
    with monkeypatch.context() as patch:
        patch.setattr(rendering, "ANSWER_SECONDS", 0.1)
        assert await render(workers, "sleep") == [plain("sleep")]
    await_end(sleeping)
    assert await render(workers, "**all**") == [BOLD]


async def test_workers_leave_the_core_to_the_serving_process(workers: Workers) -> None:
    await render(workers, "**all**")
    for worker in workers.idle:
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) > os.getpriority(os.PRIO_PROCESS, os.getpid())


async def test_workers_that_were_killed_cost_no_text(workers: Workers) -> None:
    await render(workers, *["**all**"] * 20)
    for worker in list(workers.idle):
        os.kill(worker.pid, signal.SIGKILL)
    assert await render(workers, "**all**", "**all**") == [BOLD, BOLD]


async def test_a_worker_that_cannot_start_is_an_error(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    end_all(workers)
    with monkeypatch.context() as patch:
        patch.setattr(rendering, "COMMAND", [sys.executable, "-c", "pass"])
        with pytest.raises((EOFError, ConnectionError)):
            await render(workers, "**all**")
        patch.setattr(rendering, "COMMAND", [sys.executable, "-c", "import time; time.sleep(1_000_000)"])
        patch.setattr(rendering, "LOADING_SECONDS", 0.1)
        with pytest.raises(TakesTooLong):
            await render(workers, "**all**")
    assert await render(workers, "**all**") == [BOLD]


@pytest.mark.parametrize("text", ["", thorough("loop"), thorough("extension")])
def test_no_worker_outlives_a_process_that_was_killed(text: str) -> None:
    process = Process([sys.executable, "-m", "tests.web.doomed", text])
    worker = int(process.line("worker").split()[1])
    if text:
        process.line("rendering")
    process.kill()
    await_end(worker)


@pytest.mark.thorough
def test_no_worker_outlives_a_site(live_server_process: LiveSite) -> None:
    site = live_server_process
    assert children_of(site.process.pid) == []  # none runs before the first text
    with client_of(site) as client:
        client.send(request("markdown.render", texts=["**all**"]))
        assert answer(client)["html"] == [BOLD]
    workers = children_of(site.process.pid)
    assert workers
    assert site.stop() == 0
    for worker in workers:
        await_end(worker)


@pytest.mark.thorough
def test_the_serving_process_does_not_load_the_renderer() -> None:
    code = "import sys, hermes_site.asgi; print(*{name.split('.')[0] for name in sys.modules})"
    env = {**os.environ, **ENVIRONMENT}
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    loaded = set(told.stdout.split())
    assert "sessions_app" in loaded
    # The parser alone is needed for titles.
    assert not loaded & {"latex2mathml", "mdit_py_plugins", "nh3", "pygments"}
