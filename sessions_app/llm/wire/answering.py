"""A response put into canonical form, by the reader of its wire; see the package."""

from __future__ import annotations

from contextlib import aclosing

import httpx2

from sessions_app.llm.wire.answer import AnswerStream
from sessions_app.llm.wire.anthropic import AnthropicReader
from sessions_app.llm.wire.chat import ChatReader
from sessions_app.llm.wire.compression import decompressed
from sessions_app.llm.wire.decoder import AnswerDecoder
from sessions_app.llm.wire.reading import Reader
from sessions_app.llm.wire.responses import ResponsesReader
from sessions_app.llm.wire.splicing import Splice

READERS: dict[str, type[Reader]] = {
    "chat/completions": ChatReader,
    "responses": ResponsesReader,
    "messages": AnthropicReader,
}
"""How a wire's address ends → who reads its answers."""

BYTES_PER_CHARACTER = 12
"""The longest escape of a character in JSON: a surrogate pair."""
OVERHEAD_BYTES = 1024 * 1024
"""Of one event, beside the text of the answer: signatures, encrypted reasoning."""

MAX_REFUSAL = 1024 * 1024
"""Bytes of an error that are read: a few hundred say all."""

_BODY = {b"content-length", b"transfer-encoding", b"content-encoding"}


async def answered(request: httpx2.Request, response: httpx2.Response, current: Splice) -> httpx2.Response:
    """The response to a spliced request, as the SDK is to read it."""
    return await _refusal(response) if response.is_error else _in_canonical_form(request, response, current)


async def _refusal(response: httpx2.Response) -> httpx2.Response:
    """An error, read up to its bound."""
    body = b""
    async with aclosing(decompressed(response)) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > MAX_REFUSAL:
                break
    await response.aclose()
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _BODY]
    return httpx2.Response(response.status_code, headers=headers, content=body)


def _in_canonical_form(request: httpx2.Request, response: httpx2.Response, current: Splice) -> httpx2.Response:
    path = request.url.path.rstrip("/")
    reader = next((reader for end, reader in READERS.items() if path.endswith(end)), None)
    if reader is None:
        return response
    current.answer = reader()
    decoder = AnswerDecoder(current.answer, BYTES_PER_CHARACTER * current.max_answer + OVERHEAD_BYTES)
    stream = AnswerStream(response, decoder, current)
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in {*_BODY, b"content-type"}]
    return httpx2.Response(
        200,
        headers=[*headers, (b"content-type", b"text/event-stream")],
        stream=stream,
        extensions=response.extensions,
    )
