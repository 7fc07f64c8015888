"""What a request must be: made of the stored rows, all at once, without anything that production keeps in memory.

The line of a conversation is read here in the plainest way there is, and its messages go through Pydantic AI and the
provider's own SDK in one piece, to a transport that only writes down what it is handed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import httpx2
from pydantic_ai.direct import model_request_stream
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models import infer_model
from pydantic_ai.providers import Provider, infer_provider_class

from agentcache import Stamp
from sessions_app.llm.content.codec import decode
from sessions_app.llm.content.history import messages_of
from sessions_app.llm.content.parts import FileReference
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.content.rows import Row
from sessions_app.llm.live_model import LiveModel, parameters_of
from sessions_app.llm.wire.splicing import dumped
from sessions_app.models import Branch, ChatSession, FileContent, Message
from tests.llm.talking import timeless


@dataclass(frozen=True)
class Stored:
    """A session as the database has it."""

    session_id: UUID
    stamp: Stamp
    model: str
    prefix: str
    messages: tuple[Message, ...]

    @property
    def rows(self) -> list[Row]:
        rows = [Row(m.role, m.text, decode(m.parts), m.status, m.position) for m in self.messages]  # type: ignore[arg-type]
        return [replace(row, text=_told(row)) for row in rows]


def _told(row: Row) -> str:
    """What is sent of a row's text, with its documents before it. In a database thread."""
    files = [part for part in row.parts if isinstance(part, FileReference) and part.text]
    found = [FileContent.objects.get(folder=UUID(file.folder)).text for file in files]
    texts = [text.replace("</document", "<\\/document") for text in found]
    blocks = [f'<document name="{file.name}">\n{text}\n</document>' for file, text in zip(files, texts, strict=True)]
    return "\n\n".join([*blocks, row.text] if row.text or not blocks else blocks)


def stored(session_id: UUID) -> Stored:
    """Read a session."""
    chat_session = ChatSession.objects.select_related("stamp", "profile").get(pk=session_id)
    assert chat_session.profile
    messages = list(Message.objects.filter(chat_session=session_id))
    branches = {branch.pk: branch for branch in Branch.objects.filter(chat_session=session_id)}
    return Stored(
        session_id,
        Stamp(chat_session.stamp.message_count, chat_session.stamp.revision),
        chat_session.profile.effective_model,
        chat_session.frozen_prefix,
        tuple(line_of(branches[chat_session.active_branch_id], branches, messages)),
    )


def all_of(session_id: UUID) -> list[Message]:
    """All messages of a session, of all its lines, in the order in which they were written."""
    return list(Message.objects.filter(chat_session=session_id).order_by("pk"))


def line_of(branch: Branch, branches: dict[UUID, Branch], messages: Iterable[Message]) -> list[Message]:
    """The messages of a branch: its parent's up to the fork, then its own."""
    own = sorted((m for m in messages if m.branch_id == branch.pk), key=lambda message: message.position)
    if branch.parent_id is None:
        return own
    before = line_of(branches[branch.parent_id], branches, messages)
    fork = branch.fork_position
    return [m for m in before if m.position < fork] + [m for m in own if m.position >= fork]


class _Paper(httpx2.AsyncBaseTransport):
    """Writes down the body that it is handed, and sends nothing."""

    body = b""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.body = await request.aread()
        return httpx2.Response(418, request=request)


class Oracle:
    """Makes request bodies for one model string. Belongs to an event loop."""

    def __init__(self, model: str) -> None:
        self._paper = _Paper()
        client = httpx2.AsyncClient(transport=self._paper)

        def provider(name: str) -> Provider[Any]:
            made = infer_provider_class(name)(http_client=client)  # type: ignore[call-arg]
            made.client.max_retries = 0
            return made

        self._live = LiveModel(model, infer_model(model, provider_factory=provider))

    async def body(self, session_id: UUID, prefix: str, rows: list[Row]) -> bytes:
        """The body of a request for these rows, in the one JSON form of everything sent, but for what its time says.

        For how long Anthropic is to keep it hangs on pauses (`cache_clock`), so compare it with a `timeless` one.
        """
        frozen = FrozenPrefix.from_json(prefix)
        with suppress(ModelHTTPError):
            async with model_request_stream(
                self._live.model,
                messages_of(frozen, rows, model=self._live.name),
                model_settings=self._live.settings(str(session_id)),
                model_request_parameters=parameters_of(frozen),
            ):
                raise AssertionError("nothing was to be sent")
        body = json.loads(self._paper.body)
        # A setting for Pydantic AI alone: no server is asked for it (`wire.splicing`).
        body.get("stream_options", {}).pop("continuous_usage_stats", None)
        return timeless(dumped(body))
