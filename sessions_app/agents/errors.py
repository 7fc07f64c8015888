"""The one error a step raises when a provider fails."""

from __future__ import annotations

from typing import Literal


class ProviderError(Exception):
    """A provider failed, or was silent too long (AG-UI `RUN_ERROR`'s `code`); `text` is a sentence for the user.

    The sentence holds no key, address or internals; the cause was logged, without a word of the prompt.
    """

    def __init__(self, code: Literal["provider", "timeout"], text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
