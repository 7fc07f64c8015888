"""The process in which one file is read: it comes as standard input, what was found goes to standard output.

``process`` starts it as ``python -m sessions_app.extraction.worker SUFFIX``; both ends are files. The system ends it
where it takes too much (``bounds``). SIGTERM, which service managers send to all processes of a service, is meant for
the serving one.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO

from sessions_app.extraction import bounds
from sessions_app.extraction.results import Extracted, Output, Unreadable

TOO_LARGE = "To read this file would take more memory than it may."


def extract(file: BinaryIO, suffix: str, output: Output) -> Extracted:
    """Find out what a file is, and what can be told of it. Raises Unreadable."""
    from sessions_app.extraction import kinds

    kind = kinds.kind_of(file)
    file.seek(0)
    # What is not needed is not loaded: each file has a process of its own.
    match kind:
        case "image":
            from sessions_app.extraction import images

            return images.extract(file, output)
        case "pdf":
            from sessions_app.extraction import pdf

            return pdf.extract(file, output)
        case "text":
            from sessions_app.extraction import texts

            return texts.extract(file, suffix)
        case _:
            from sessions_app.extraction import office

            return office.extract(file, kind)


def tell(file: BinaryIO, suffix: str, found_file: BinaryIO) -> None:
    """Write what was found in a file."""
    from sessions_app.extraction.texts import cleaned

    output = Output(found_file)
    found: Extracted | Unreadable
    try:
        found = extract(file, suffix, output)
        found.text = cleaned(found.text)
    except Unreadable as unreadable:
        found = unreadable
    except MemoryError:
        found = Unreadable(TOO_LARGE)
    output.finish(found)


def main() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(bounds.NICENESS)
    bounds.confine()
    # A library that prints would write amid what was found.
    found_file = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    tell(sys.stdin.buffer, sys.argv[1], found_file)


if __name__ == "__main__":
    main()
