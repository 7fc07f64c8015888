"""Pages are read by a worker, as in production; what stands on them is found in this process."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading

import pytest

from sessions_app.extraction.pages import NOTHING
from sessions_app.outbound.fetching import Fetched
from sessions_app.web_pages import process
from sessions_app.web_pages.process import read
from sessions_app.web_pages.results import Page, PageError
from sessions_app.web_pages.worker import EMPTY, NO_TEXT, read_fetched
from tests.extraction import samples
from tests.extraction.fixtures import own_process
from tests.outbound.strangers import Writer, answer, redirect
from tests.web_pages.fixtures import Site, site

__all__ = ["own_process", "site"]

BODY = "<p>What it says. " * 20


def read_here(body: bytes, told_type: str) -> Page:
    """What a worker reads in a page that was fetched, without its process, which loads the libraries first."""
    media_type, _, charset = told_type.partition("; charset=")
    with tempfile.TemporaryFile() as file:
        file.write(body)
        return read_fetched(Fetched("https://site.example/", media_type, charset.lower()), file)


async def why_not(site: Site, reply: bytes | None = None, url: str = "") -> str:
    if reply is not None:
        site.replies["/"] = reply
    with pytest.raises(PageError) as error:
        await read(1, url or site.url())
    return error.value.text


def test_a_table_has_no_spaces_behind_it() -> None:
    body = b"<table><tr><th>A<th>Long<tr><td>1<td>2</table><p>a<br><br><br><br>b"
    assert read_here(body, "text/html").text == "A  Long\n1  2\n\na\n\nb"


async def test_a_page_is_read(site: Site) -> None:
    html = "<title>A  site\n</title><nav>Menu</nav><main><h1>News</h1>" + BODY + "<a href=more>More</a></main>"
    site.replies |= {"/": redirect("/news/"), "/news/": answer(html.encode())}
    page = await read(1, site.url())
    assert (page.url, page.title, page.notice) == (site.url("/news/"), "A site", "")
    assert page.text.startswith("News\n\nWhat it says.")
    assert page.text.endswith(f"[More]({site.url('/news/more')})")
    assert "Menu" not in page.text


@pytest.mark.parametrize(
    ("body", "media_type", "text"),
    [
        (b'{"a": [1, 2]}', "application/json", '{"a": [1, 2]}'),
        ("<p>Größe".encode("latin-1"), "text/html; charset=ISO-8859-1", "Größe"),
        ("<p>日本".encode(), "text/html; charset=nonsense", "日本"),
        (samples.pdf("few words"), "application/pdf", "[Page 1]\nfew words"),
        (b"<b>as it is</b>", "text/plain", "<b>as it is</b>"),
        (b"<!DOCTYPE html><p>of no type", "", "of no type"),
        ("<meta charset='windows-1251'><p>Привет".encode("cp1251"), "text/html", "Привет"),
        ("<p>日本".encode("shift_jis"), "text/html; charset=Shift_JIS", "日本"),
        ("<p>Größe".encode(), "text/html; charset=ascii", "Größe"),
        ("<p>Größe".encode("utf-16"), "text/html", "Größe"),
        (samples.sheet(), "text/html", "[Sheet "),
        (samples.pdf("Hello " * 30), "text/html", "Hello"),
    ],
)
def test_what_is_read_is_what_the_bytes_are(body: bytes, media_type: str, text: str) -> None:
    assert text in read_here(body, media_type).text


@pytest.mark.parametrize(
    ("body", "media_type", "told"),
    [
        (b"", "text/html", EMPTY),
        (samples.picture("PNG"), "text/html", NO_TEXT),
        (b"<div>" * 100_000 + b"deep", "text/html", NOTHING),
        (b" \n ", "text/plain", "This file is empty."),
        (b"<html><body><script>let a</script></body></html>", "text/html", NOTHING),
        (b"\x7fELF" + bytes(range(256)) * 10, "text/html", NO_TEXT),
        (b"PK\x03\x04" + bytes(100), "application/pdf", "This document is damaged: it cannot be opened."),
    ],
)
def test_a_page_without_text(body: bytes, media_type: str, told: str) -> None:
    with pytest.raises(PageError) as error:
        read_here(body, media_type)
    assert error.value.text == told


async def test_a_worker_reads_and_refuses_the_same(site: Site) -> None:
    site.replies["/"] = answer("<p>Größe".encode("latin-1"), "text/html; charset=ISO-8859-1")
    assert (await read(1, site.url())).text == "Größe"
    site.replies["/"] = answer(samples.pdf("few words"), "application/pdf")
    assert (await read(1, site.url())).text == "[Page 1]\nfew words"
    assert await why_not(site, answer(samples.picture("PNG"), "text/html")) == NO_TEXT


def test_a_title_of_a_megabyte() -> None:
    page = read_here(b"<title>" + b"title " * 200_000 + b"</title><p>text", "text/html")
    assert (len(page.title), page.text) == (300, "text")


async def test_what_fetching_refuses_is_told(site: Site) -> None:
    assert await why_not(site, answer(b"", status="404 Not Found")) == "the server answered with the status 404."
    assert await why_not(site, redirect("http://127.0.0.2/")) == "the address leads to no public host."
    assert await why_not(site, url="http://127.0.0.1:1/") == "the address leads to no public host."


async def test_production_reads_no_page_of_this_machine(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "COMMAND", [sys.executable, "-m", "sessions_app.web_pages.worker"])
    for url in (f"http://127.0.0.1:{site.port}/", "http://localhost/"):
        assert await why_not(site, url=url) in (
            "the address leads to no public host.",
            "only the ports of web sites, 80 and 443, are asked.",
        )
    assert site.requests == []


async def test_who_stops_waiting_ends_the_worker(site: Site) -> None:
    asked = asyncio.Event()

    async def dripping(writer: Writer) -> None:
        asked.set()
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    site.replies["/"] = dripping
    reading = asyncio.create_task(read(1, site.url()))
    await asked.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await site.ended.wait()


async def test_one_that_waits_for_its_turn_never_begins(site: Site) -> None:
    begun = threading.Semaphore(0)
    release = threading.Event()

    def occupy() -> None:
        begun.release()
        release.wait()

    threads = process._threads()
    for _ in range(process.READERS):
        threads.submit(2, occupy)
    await asyncio.to_thread(lambda: [begun.acquire() for _ in range(process.READERS)])
    reading = asyncio.create_task(read(1, site.url()))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    release.set()
    site.replies["/"] = answer(b"<p>next")
    assert await read(1, site.url()) == Page(site.url(), "", "next")
    assert len(site.requests) == 1


@pytest.mark.parametrize("code", ["raise SystemExit(1)", "print('no JSON')"])
async def test_a_worker_that_crashes(site: Site, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(process, "COMMAND", [sys.executable, "-c", code])
    assert await why_not(site) == process.FAILED


async def test_a_worker_that_takes_too_long(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "COMMAND", [sys.executable, "-c", "import threading; threading.Event().wait()"])
    monkeypatch.setattr(process, "WALL_SECONDS", 0.1)
    assert await why_not(site) == process.TOO_LONG
