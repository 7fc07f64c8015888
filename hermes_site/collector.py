"""Full garbage collections that do not hold the event loop up.

A full collection walks every object that there is: with 2,000 connections 180 to 220 ms in which nobody gets a word
(measured). So what has survived one is frozen, and the next walks only what came since: some 8 ms. Frozen cycles
are never collected; once in ten minutes everything is thawed for one collection, and that one takes its time.
"""

import gc
import time
from typing import Any

# Seconds for which what became garbage may stay.
THAW_SECONDS = 600.0


class Collector:
    """Freezes what survives full collections, from `start` on."""

    def __init__(self) -> None:
        self._thawed = 0.0

    def start(self) -> None:
        """Freeze everything that was loaded so far, and begin to watch collections."""
        self._thawed = time.monotonic()
        gc.callbacks.append(self.on_collection)
        gc.freeze()

    def stop(self) -> None:
        """Leave collections alone again."""
        gc.callbacks.remove(self.on_collection)
        gc.unfreeze()

    def on_collection(self, phase: str, info: dict[str, Any]) -> None:
        """Called by the interpreter at the start and the end of every collection."""
        if info["generation"] != 2:
            return
        if phase == "stop":
            gc.freeze()
        elif time.monotonic() - self._thawed > THAW_SECONDS:
            self._thawed = time.monotonic()
            gc.unfreeze()
