"""Origins other than the site's, for apps of others: they serve a page, OpenAI's client, and the JavaScript client."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.processes import ROOT

# The client as it is installed, and nothing of ours.
_PAGE = b"""<!doctype html><title>An app</title>
<script type="importmap">{"imports": {"openai": "/openai/index.mjs"}}</script>
<script type="module">
import OpenAI from "openai";
window.app = {
  client: (baseURL, apiKey) => new OpenAI({ baseURL, apiKey, dangerouslyAllowBrowser: true, maxRetries: 0 }),
  outcome: async (work) => {
    try { return await work(); } catch (error) {
      return { error: error.constructor.name, status: error.status, code: error.code };
    }
  },
};
document.title = "ready";
</script>"""


class _Files(SimpleHTTPRequestHandler):
    """`/` is the page, `/src/` has the JavaScript client, and the rest is what npm has installed."""

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.end_headers()
        self.wfile.write(_PAGE)

    def translate_path(self, path: str) -> str:
        self.directory = str(ROOT / ("clients/js" if path.startswith("/src/") else "node_modules"))
        return super().translate_path(path)

    def guess_type(self, path: Any) -> str:
        return "text/javascript" if str(path).endswith(".mjs") else super().guess_type(path)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def origin() -> Iterator[str]:
    """Serve at an origin more."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
