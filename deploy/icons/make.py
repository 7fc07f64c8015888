"""Make the icons of the site from icon.svg: `python deploy/icons/make.py`, with the tests' packages and Chromium.

Browsers take icon.svg; phones and installed apps want pictures: `icon-192.png`, `icon-512.png`; `icon-maskable.png` and
Apple's `icon-touch.png`, whose corners the system cuts; and `favicon.ico` for whoever asks for nothing else.
"""

import struct
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "sessions_app" / "static" / "sessions_app"
PAGE = "<style>html,body{{margin:0;background:transparent}}svg{{display:block;width:{0}px;height:{0}px}}</style>{1}"
sys.path.insert(0, str(ROOT))


def full(svg: str) -> str:
    """Return the drawing on a ground without corners, small enough for any shape that is cut out of it."""
    return svg.replace('rx="8" ', "").replace("translate(4 4)", "translate(6.4 6.4) scale(0.8)")


def ico(png: bytes, size: int) -> bytes:
    """Return an icon file of one PNG picture."""
    entry = struct.pack("<BBBBHHII", size, size, 0, 0, 1, 32, len(png), 6 + 16)
    return struct.pack("<HHH", 0, 1, 1) + entry + png


def main() -> None:
    from tests.services import chromium

    svg = (STATIC / "icon.svg").read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()

        def picture(drawing: str, size: int) -> bytes:
            page.set_viewport_size({"width": size, "height": size})
            page.set_content(PAGE.format(size, drawing))
            return page.screenshot(omit_background=True)

        for name, drawing, size in (
            ("icon-192.png", svg, 192),
            ("icon-512.png", svg, 512),
            ("icon-maskable.png", full(svg), 512),
            ("icon-touch.png", full(svg), 180),
        ):
            (STATIC / name).write_bytes(picture(drawing, size))
        (STATIC / "favicon.ico").write_bytes(ico(picture(svg, 32), 32))
        browser.close()


if __name__ == "__main__":
    main()
