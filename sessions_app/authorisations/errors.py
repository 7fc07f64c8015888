"""What can go wrong with an authorisation, in sentences for people: they hold nothing of what a server has said."""

from __future__ import annotations


class AuthorisationError(Exception):
    """An authorisation cannot be had, or be used; `str()` says why."""


class Refused(AuthorisationError):
    """The authorisation server has refused; `code` is OAuth's word for why, "" where it is none that we know."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class NotConnected(AuthorisationError):
    """The user has no authorisation at the tool server, or none that still holds: they have to connect."""
