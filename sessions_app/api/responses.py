"""Carry a request out and encode its response: a result, or the error that the contract has for it."""

from __future__ import annotations

import json
import logging
from math import ceil

from sessions_app.api import method_types
from sessions_app.api.auth import Unauthorised
from sessions_app.api.decode import InternalError, Request, RequestId, UnknownMethod
from sessions_app.api.method import Call, Method
from sessions_app.api.methods import METHODS
from sessions_app.conversations.shape import Shape
from sessions_app.errors import CommandError, Forbidden, TooMany

logger = logging.getLogger(__name__)


async def respond(call: Call, request: Request) -> str:
    """Return the response to a request, whatever it is. Raises Unauthorised, then nothing was done."""
    try:
        return result_frame(request.id, await _carry_out(call, request))
    except Unauthorised:
        raise
    except CommandError as error:
        return error_frame(request.id, error)
    except Exception:
        # The method's name is ours; nothing that the caller sent is logged.
        logger.exception("%s failed", request.method)
        return error_frame(request.id, InternalError("Something went wrong on the server."))


def refusal(request: Request, wait: float) -> str:
    """Return the response to a request that is one too many for ``wait`` seconds; what is wrong with it comes first."""
    try:
        _read(request)
    except CommandError as error:
        return error_frame(request.id, error)
    return error_frame(request.id, TooMany("Too many commands.", retry_after=max(1, ceil(wait))))


async def _carry_out(call: Call, request: Request) -> Shape:
    method, params = _read(request)
    if method.of_account and call.caller.profile_id is not None:
        await call.caller.check()
        raise Forbidden("This API token is for the chats of one profile.")
    return await method.handler(call, params)


def _read(request: Request) -> tuple[Method, method_types.Params]:
    method = METHODS.get(request.method)
    if method is None:
        raise UnknownMethod("There is no such method.")
    return method, method_types.read(method.params, request.params)


def result_frame(request_id: RequestId, result: Shape) -> str:
    """Return the frame of a result."""
    return f'{{"jsonrpc":"2.0","id":{_id(request_id)},"result":{result.model_dump_json()}}}'


def error_frame(request_id: RequestId, error: CommandError) -> str:
    """Return the frame of an error; ``data`` is there where it says something."""
    told = {"code": error.code, "message": error.text, **({"data": error.data} if error.data else {})}
    return f'{{"jsonrpc":"2.0","id":{_id(request_id)},"error":{json.dumps(told)}}}'


def _id(request_id: RequestId) -> str:
    return json.dumps(request_id, ensure_ascii=False)
