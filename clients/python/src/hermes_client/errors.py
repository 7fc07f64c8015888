"""What can go wrong, as exceptions."""

from __future__ import annotations

from typing import Any


class HermesError(Exception):
    """Whatever this package raises of its own."""


class Refused(HermesError):
    """The server said no. ``code`` and ``data`` are as in docs/api.md, "Errors"."""

    def __init__(self, code: int, message: str, data: dict[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class NotFound(Refused):
    """There is no such thing, or it is somebody else's."""


class TooLarge(Refused):
    """``data["limit"]`` says what is allowed."""


class TooMany(Refused):
    """Wait ``data["retry_after"]`` seconds; where there is ``data["quota"]`` instead, make room."""


class Conflict(Refused):
    """What the caller saw is no longer so; ``data`` says what is."""


class Denied(HermesError):
    """The token is not, or no longer, good. The client has closed."""


class Disconnected(HermesError):
    """The connection is gone; whether a request that was not answered has been carried out is not known."""


class RunFailed(HermesError):
    """A turn has no answer, or one that broke off. ``code`` is RUN_ERROR's: docs/api.md, "Following an answer"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


_KINDS: dict[int, type[Refused]] = {-32001: NotFound, -32002: TooLarge, -32003: TooMany, -32004: Conflict}


def refusal(error: dict[str, Any]) -> Refused:
    """Return the exception of a JSON-RPC error."""
    kind = _KINDS.get(error["code"], Refused)
    return kind(error["code"], error["message"], error.get("data") or {})
