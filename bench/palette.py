"""From the press of Ctrl K to the palette on the screen: `python -m bench palette`, in a real Chromium.

Beside it, on the same page and by the same keys, an empty dialog: what the browser needs for any. The time is the
page's own, from the key's event to the second frame after the dialog has opened; so the first has been painted.
"""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, async_playwright

from bench.provider import Provider
from bench.report import Figure, Section
from bench.site import World
from bench.timing import percentile
from tests.services import chromium

FLAGS = ["--no-sandbox", "--disable-gpu"]
CHATS = 50
WAIT_MS = 120_000

_LISTEN = """() => {
  const bare = document.createElement("dialog");
  bare.id = "bare";
  document.body.append(bare);
  window.addEventListener("keydown", (event) => {
    if (event.key === "F8") bare.showModal();
    const dialog = document.getElementById(event.key === "F8" ? "bare" : "palette");
    if (event.key !== "F8" && !(event.key === "k" && event.ctrlKey)) return;
    const look = () => dialog.open
      ? requestAnimationFrame(() => requestAnimationFrame(() => window.tell(performance.now() - event.timeStamp)))
      : setTimeout(look, 0);
    look();
  }, { capture: true });
}"""
_SIGN_UP = "/accounts/signup/"


async def from_the_key(count: int, folder: Path, provider: Provider) -> list[Section]:
    """The first palette of a page, and those after it, beside an empty dialog."""
    world = World(folder, provider.url)
    world.seed(0)
    with world.site(HERMES_SIGNUP="open", HERMES_MODEL="demo") as site:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            page = await (await browser.new_context(viewport={"width": 1440, "height": 900})).new_page()
            page.set_default_timeout(WAIT_MS)
            await _arrive(page, site.url.rstrip("/"))
            first = await _timed(page, "Control+k", "palette")
            palettes, bare = [], []
            for _ in range(count):
                palettes.append(await _timed(page, "Control+k", "palette"))
                bare.append(await _timed(page, "F8", "bare"))
            await browser.close()
    p50, p95 = (percentile(palettes, share) / percentile(bare, share) for share in (50, 95))
    return [
        Section(
            f"From the key to the palette, {CHATS} chats in the list ({count} times)",
            [
                Figure("the first one of a page", f"{first:.0f} ms"),
                Figure("p50, to an empty dialog", f"{p50:.2f} x", "", _both(palettes, bare, 50)),
                Figure("p95, to an empty dialog", f"{p95:.2f} x", "", _both(palettes, bare, 95)),
            ],
        )
    ]


def _both(palettes: list[float], bare: list[float], share: int) -> str:
    return f"{percentile(palettes, share):.1f} ms; empty {percentile(bare, share):.1f} ms"


async def _arrive(page: Page, url: str) -> None:
    """Make an account with chats, and open the page anew, until it is at rest."""
    await page.goto(url + _SIGN_UP)
    await page.get_by_label("Username").fill("reader")
    await page.get_by_label("Password").fill("correct horse battery staple")
    await page.get_by_role("button", name="Sign up").click()
    await page.wait_for_selector("#thread")
    await page.evaluate(_MAKE_CHATS, CHATS)
    await page.goto(url)
    await page.wait_for_load_state("networkidle")
    await page.locator("#text").focus()
    await page.evaluate(_LISTEN)


_MAKE_CHATS = """(count) => new Promise((resolve, reject) => {
  const socket = new WebSocket(`ws://${location.host}/ws/chat/`);
  let done = 0;
  socket.onopen = () => {
    for (let id = 1; id <= count; id++)
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method: "session.create", params: { title: `Chat ${id}` } }));
  };
  socket.onmessage = ({ data }) => {
    if ("id" in JSON.parse(data) && ++done === count) resolve(socket.close());
  };
  socket.onerror = reject;
})"""


async def _timed(page: Page, key: str, dialog: str) -> float:
    """Milliseconds from the key to the dialog; it is closed again."""
    await page.evaluate("() => { window.took = new Promise((tell) => { window.tell = tell; }); }")
    await page.keyboard.press(key)
    took: float = await page.evaluate("window.took")
    await page.evaluate("(id) => document.getElementById(id).close()", dialog)
    return took
