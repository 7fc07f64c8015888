"""The one error of content that cannot be sent."""

from __future__ import annotations

WAY_OUT = "Edit a message before it, or start a new chat."
"""What a person can do about such a chat."""


class ContentError(Exception):
    """A transcript holds what cannot be sent whole, and so is not sent at all; `text` is a sentence for the user.

    The sentence quotes no value of the content.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
