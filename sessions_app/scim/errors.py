"""What a request is refused with, in SCIM's form."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
Kind = Literal["invalidFilter", "invalidPath", "invalidSyntax", "invalidValue", "mutability", "noTarget", "uniqueness"]
"""RFC 7644, table 9: what is wrong, for programs."""


class ScimError(Exception):
    """A refusal; nothing was changed. ``detail`` is for the person who reads the provider's log."""

    def __init__(self, status: HTTPStatus, detail: str, kind: Kind | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind

    @property
    def body(self) -> dict[str, Any]:
        """The body of the answer; RFC 7644 has the status there as a string."""
        told: dict[str, Any] = {"schemas": [ERROR], "status": str(int(self.status)), "detail": self.detail}
        return told | ({"scimType": self.kind} if self.kind else {})


def bad(kind: Kind, detail: str) -> ScimError:
    """Return the answer to what cannot be understood, or cannot be so (400)."""
    return ScimError(HTTPStatus.BAD_REQUEST, detail, kind)


def taken(detail: str) -> ScimError:
    """Return the answer to a name that somebody else has (409)."""
    return ScimError(HTTPStatus.CONFLICT, detail, "uniqueness")


def forbidden(detail: str) -> ScimError:
    """Return the answer to what an identity provider may not do here (403)."""
    return ScimError(HTTPStatus.FORBIDDEN, detail)


def not_found() -> ScimError:
    """Return the answer to an id that names nothing (404)."""
    return ScimError(HTTPStatus.NOT_FOUND, "There is nothing with this id, or at this address.")
