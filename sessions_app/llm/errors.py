"""The one error a step raises when a provider fails."""

from __future__ import annotations

from typing import Literal

Code = Literal["provider", "timeout", "context", "empty", "conflict", "budget"]


class ProviderError(Exception):
    """A provider failed; `code` is AG-UI `RUN_ERROR`'s, `text` a sentence for the user.

    `timeout`: it was silent too long. `context`: the conversation is too long for the model. `empty`: there was no
    answer. `conflict`: what the request was made of was changed meanwhile. `budget`: too little is left of one.

    The sentence holds no key, address or internals; the cause was logged, without a word of the prompt. `window` is
    what a refusal for length has told of the model's window, in tokens.
    """

    def __init__(self, code: Code, text: str, *, window: int | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.window = window
