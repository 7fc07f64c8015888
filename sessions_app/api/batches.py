"""A JSON-RPC batch: the requests of one frame, answered by one frame.

Each is carried out as if it had been sent alone, in its lane; their answers wait for each other. A client cannot read
an answer that waits, so what waits is bounded: once a batch's answers are larger than ANSWERS, those of its requests
that have not begun are refused, and can be sent again.
"""

from __future__ import annotations

from collections.abc import Callable

from sessions_app.api.decode import Request
from sessions_app.api.responses import error_frame
from sessions_app.errors import TooMany

# Characters.
ANSWERS = 1024 * 1024
_RETRY_SECONDS = 1


class Batch:
    """The answers of a batch of ``size`` members. When the last is there, it calls ``send``, and then ``ended``."""

    def __init__(self, size: int, send: Callable[[str], None], ended: Callable[[], None]) -> None:
        self._left = size
        self._send = send
        self._ended = ended
        self._frames: list[str] = []
        self._characters = 0

    def refusal(self, request: Request) -> str:
        """Return the answer to a request for whose answer there is no room; empty where there is."""
        if self._characters <= ANSWERS:
            return ""
        full = TooMany("The answers to this batch are too large: send the rest again.", retry_after=_RETRY_SECONDS)
        return error_frame(request.id, full)

    def answer(self, frame: str) -> None:
        """Take the answer to one member; empty for one that gets none."""
        self._left -= 1
        if frame:
            self._frames.append(frame)
            self._characters += len(frame)
        if not self._left:
            self.end()

    def end(self) -> None:
        """Send what has been answered, because the rest will not be."""
        if self._frames:
            self._send(f"[{','.join(self._frames)}]")
        self._ended()
