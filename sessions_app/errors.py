"""What can go wrong with a command, in the contract's terms; the edges translate it."""

from __future__ import annotations

from typing import Any


class CommandError(Exception):
    """A command was refused. ``text`` is for the caller; ``data`` says what helps."""

    code: int

    def __init__(self, text: str, **data: Any) -> None:
        super().__init__(text)
        self.text = text
        self.data = data


class WrongKind(CommandError):
    """The row that is named is not of the kind that the command is for."""

    code = -32602


class BadInput(CommandError):
    """What was sent cannot be taken, whatever is stored; ``text`` says why."""

    code = -32602


class NotFound(CommandError):
    """There is no such row, or it is someone else's: the answer is the same."""

    code = -32001

    def __init__(self) -> None:
        super().__init__("Not found.")


class TooLarge(CommandError):
    """More than is allowed; ``limit`` says what is."""

    code = -32002


class TooMany(CommandError):
    """Too many: ``retry_after`` says in how many seconds to try again; or ``quota`` what is used up."""

    code = -32003


class Conflict(CommandError):
    """What the caller saw is no longer so; ``data`` says what is."""

    code = -32004


class NotTaken(Conflict):
    """The model of the session takes no files of this kind; ``profile`` is that model's."""


class Forbidden(CommandError):
    """Not for the API token that was sent, which may only read or is for the chats of one profile; or not for this
    user, who is in none of the groups that a feature is for.
    """

    code = -32005
