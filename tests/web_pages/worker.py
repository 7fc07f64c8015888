"""The worker that reads pages, for which every name leads to 127.0.0.1: to the ports that it is started with alone."""

from __future__ import annotations

import sys

from sessions_app.outbound.connecting import Rules
from sessions_app.outbound.fetching import Fetcher
from sessions_app.web_pages.worker import main
from tests.outbound.strangers import HERE


async def look_up(host: str, port: int) -> list[str]:
    return [HERE] if host.endswith(".example") else [host]


if __name__ == "__main__":
    ports = {int(port) for port in sys.argv[1:]}
    main(Fetcher(Rules(lambda address, port: address == HERE and port in ports, look_up), range(1, 65_536)))
