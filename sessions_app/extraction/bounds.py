"""What reading one file may take: bounds of the process that does it, kept by the system."""

from __future__ import annotations

import resource

CPU_SECONDS = 60
"""Of one file: thirty times what 100 pages of a PDF take."""

SOFT_CPU_SECONDS = 30.0
"""After so much, no further page or sheet is begun: what was read until then is what the file says."""

MEMORY_BYTES = 1536 * 2**20
"""Of address space: what a picture of MAX_PIXELS takes while it is turned and scaled, and the libraries."""

OUTPUT_BYTES = 200 * 2**20

MAX_CHARACTERS = 500_000
"""Of the text of one file: more than the windows of most models hold."""

MAX_PIXELS = 80_000_000
MAX_SIDE = 30_000
"""Of a picture: what comes from cameras and scanners is smaller."""

MAX_PAGE_IMAGES = 20
"""Pages of one file that are shown as pictures."""

MAX_PAGES = 2_000
"""Pages of one file that are read."""

MAX_UNPACKED_BYTES = 300 * 2**20
"""Of what a compressed document says that it holds."""

NICENESS = 15
"""Beside the serving process, like the workers that render Markdown."""


def confine(memory_bytes: int = MEMORY_BYTES) -> None:
    """Bound this process, for good."""
    for kind, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        # A core would keep on the disk what the file says.
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))
