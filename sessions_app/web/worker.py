"""The process in which Markdown is rendered: texts come in and HTML goes out over a socket, one after the other.

web/rendering.py starts it as ``python -m sessions_app.web.worker`` with the socket as its standard input. It says with
an empty message that it has loaded the renderer. It ends when the other end of the socket is closed, which the system
does however the serving process ended. SIGTERM, which service managers send to all processes of a service, is meant
for that one, which goes on for a while and needs this one.

One budget for each text, of processor time, so that it does not depend on what else the machine does:

1. After CPU_SECONDS the system sends SIGPROF: rendering is broken off, and the text is shown as it was written.
2. What never looks for signals (a loop inside of an extension) is ended by the system with this process,
   MORE_CPU_SECONDS later. web/rendering.py does the rest.
"""

import logging
import math
import os
import resource
import signal
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from sys import stdin
from types import FrameType

from sessions_app.web import highlight, markdown
from sessions_app.web.plain import plain

logger = logging.getLogger(__name__)

CPU_SECONDS = 2.0
"""Of one text: ten times what ordinary text of MAX_CHARS takes. The bounds of web/markdown.py come before, so that
ordinary text looks alike on a fast and on a slow machine."""
AGAIN_SECONDS = 0.1
"""Until SIGPROF comes again: what is raised inside of a destructor or of a callback of nh3 is dropped."""
MORE_CPU_SECONDS = 2
"""Whole seconds, as the system counts them."""

NICENESS = 15
"""Beside the serving process: a thirtieth of its share, where both want a core at once. With a third (5), the other
users of the soak waited 131 ms for their first token, with this 85 (docs/performance.md)."""


class OutOfTime(BaseException):
    """A text has used up its budget. No ``Exception``: the renderer's libraries catch those."""


class Budget:
    """The processor time of one text, which is counted within ``with``. ``over``: whether it was used up."""

    def __init__(self) -> None:
        self.over = False

    def __enter__(self) -> None:
        signal.signal(signal.SIGPROF, self._break_off)
        limit_cpu(math.ceil(time.process_time() + CPU_SECONDS) + MORE_CPU_SECONDS)
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS, AGAIN_SECONDS)

    def __exit__(self, *error: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        limit_cpu(None)

    def _break_off(self, number: int, frame: FrameType | None) -> None:
        self.over = True
        raise OutOfTime


def limit_cpu(seconds: int | None) -> None:
    """End this process when it has used so many seconds in all (None: as many as whoever started it allows)."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    if seconds is None:
        seconds = most
    elif most != resource.RLIM_INFINITY:
        seconds = min(seconds, most)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, most))


def render(text: str) -> str:
    """HTML of a text: rendered, or as it was written where that takes too long."""
    # Before the budget begins, so that the first text with a language looks like every other.
    highlight.load_lexers(text)
    budget = Budget()
    try:
        with budget:
            html = markdown.render(text)
    except OutOfTime:
        return plain(text)
    except Exception as error:  # its message may hold words of the text
        logger.error("a text could not be rendered: %s", type(error).__name__)
        return plain(text)
    return plain(text) if budget.over else html


def serve(connection: Connection) -> None:
    """Render what comes until the other end is closed."""
    markdown.render("**all** $x$")
    with suppress(EOFError, OSError):
        connection.send_bytes(b"")
        while True:
            text = connection.recv_bytes().decode(errors="surrogatepass")
            connection.send_bytes(render(text).encode(errors="surrogatepass"))


def main() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Where cores are few, words that are being said come before texts that are being rendered.
    os.nice(NICENESS)
    # A core would keep on the disk what was said.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(Connection(stdin.fileno()))


if __name__ == "__main__":
    main()
