"""What is answered where something is wrong: OpenAI's form, and its statuses."""

from __future__ import annotations

import json
from math import ceil
from typing import Any

from sessions_app.errors import CommandError, Conflict, Forbidden, NotFound, NotTaken, TooLarge, TooMany

NO_RETRY = {"x-should-retry": "false"}
"""What keeps OpenAI's clients from sending a request again by themselves: it would be another turn, or fail again."""


_WAITED_SECONDS = 60
"""For so long OpenAI's clients wait, if they are told to. Then they send a request again by themselves."""


class Gone(Exception):  # an outcome, not a fault
    """The client has closed the connection; its turn goes on."""


class ApiError(Exception):
    """A request was refused, or its turn has failed. ``param`` names what is wrong with it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.error = {"message": message, "type": kind, "param": param, "code": code}

    @property
    def body(self) -> bytes:
        """The body of the answer, and the data of an event that ends a stream."""
        return json.dumps({"error": self.error}).encode()


def file_too_large(largest: int, param: str) -> ApiError:
    """Return the answer to a file that is too large."""
    return ApiError(413, f"A file may have at most {largest / 1_000_000:,g} MB.", code="file_too_large", param=param)


def unauthorised() -> ApiError:
    """Return the answer to who has no token that lets in."""
    return ApiError(
        401,
        "Send a token of this site that is valid: Authorization: Bearer TOKEN.",
        code="invalid_api_key",
        headers={"WWW-Authenticate": "Bearer"},
    )


def too_many(message: str, seconds: float) -> ApiError:
    """Return the answer to a request that is one too many for so long."""
    retry_after = str(max(1, ceil(seconds)))
    headers = {"Retry-After": retry_after}
    return ApiError(429, message, kind="rate_limit_error", code="rate_limit_exceeded", headers=headers)


def unknown_model(name: str) -> ApiError:
    """Return the answer to a request for a model that the user may not choose, or that is none."""
    return ApiError(404, f"The model {name[:100]!r} does not exist.", code="model_not_found", param="model")


def of_command(error: CommandError) -> ApiError:
    """Return what a command's refusal is here."""
    match error:
        case TooMany() if "budget" in error.data and error.data["retry_after"] > _WAITED_SECONDS:
            headers = {"Retry-After": str(error.data["retry_after"]), **NO_RETRY}
            kind = "insufficient_quota"
            return ApiError(429, error.text, kind=kind, code=kind, headers=headers)
        case TooMany() if "retry_after" in error.data:
            return too_many(error.text, error.data["retry_after"])
        case TooMany():
            kind = "insufficient_quota"
            return ApiError(429, error.text, kind=kind, code=kind, headers=NO_RETRY)
        case TooLarge():
            return ApiError(400, error.text, code="context_length_exceeded", param="messages")
        case NotFound():
            return ApiError(404, "There is no such model.", code="model_not_found", param="model")
        case Forbidden():
            return ApiError(403, error.text, kind="permission_error", code="permission_denied")
        case NotTaken():
            return ApiError(400, error.text, code="unsupported_value", param="messages")
        case Conflict():
            return ApiError(409, error.text, code="conflict", headers=NO_RETRY)
        case _:
            return ApiError(400, error.text)


_RUN_STATUS = {"context": 400, "conflict": 409, "internal": 500, "interrupted": 503, "timeout": 504}


def of_run(event: dict[str, Any], *, param: str = "messages") -> ApiError:
    """Return what the RUN_ERROR of a turn is here; the turn is stored, so it is not to be asked for again unseen.

    ``param`` is what the conversation is called in the request.
    """
    code = event.get("code") or "internal"
    if code == "budget":
        return ApiError(429, event["message"], kind="insufficient_quota", code="insufficient_quota", headers=NO_RETRY)
    if code == "context":
        return ApiError(400, event["message"], code="context_length_exceeded", param=param, headers=NO_RETRY)
    return ApiError(_RUN_STATUS.get(code, 502), event["message"], kind="server_error", code=code, headers=NO_RETRY)
