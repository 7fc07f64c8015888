"""A worker of the site's own kind, in which some texts do what a renderer must never do. Its budgets are short."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from sessions_app.web import markdown, worker

render = markdown.render


def loop() -> None:
    while True:
        pass


def loop_in_a_library_that_catches_everything() -> None:
    while True:
        with suppress(Exception):
            loop()


def loop_in_a_destructor() -> None:
    Destructor()
    loop()


class Destructor:
    def __del__(self) -> None:
        loop()


ODD: dict[str, Callable[[], object]] = {
    "loop": loop,
    "catch": loop_in_a_library_that_catches_everything,
    "destructor": loop_in_a_destructor,
    "extension": lambda: sum(range(10**13)),
    "sleep": lambda: time.sleep(1_000_000),
    "die": lambda: os._exit(1),
    "raise": lambda: 1 // 0,
}


def render_oddly(text: str) -> str:
    ODD.get(text, lambda: None)()
    return render(text)


if __name__ == "__main__":
    markdown.render = render_oddly
    worker.CPU_SECONDS, worker.MORE_CPU_SECONDS = 0.3, 1
    worker.main()
