"""What goes wrong with a tool server, in sentences that hold nothing of what it said, nor its credentials."""

from __future__ import annotations


class ToolServerError(Exception):
    """``str()`` is a sentence for operators and models. ``begun`` is False where the server surely has run nothing."""

    def __init__(self, text: str, *, begun: bool = True) -> None:
        super().__init__(text)
        self.begun = begun


class Unauthorized(ToolServerError):
    """The server wants other credentials; ``challenge`` is its WWW-Authenticate header, empty for none."""

    def __init__(self, text: str, challenge: str) -> None:
        super().__init__(text, begun=False)
        self.challenge = challenge
