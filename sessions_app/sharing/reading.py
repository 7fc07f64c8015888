"""What a link shows: a page of messages, or a file of one. Asked of the rows each time, so an end counts at once.

One answer for all that is not shown: None for a key that nobody has, a link that was revoked or is over, whose chat
was deleted, whose owner may no longer act or share, and one that is for others than who asks.

Shown is what people and models have said. What a model was told besides is not: system prompt, memory, notes and
summaries, thoughts; nor what tools were given and have answered, the files in that included. Of a call there is the
tool's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now

from sessions_app.conversations import attachments, branches
from sessions_app.conversations.file_schemas import FileShape, file_shapes
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import tool_calls
from sessions_app.models import (
    Audience,
    ContentState,
    Feature,
    FeatureRule,
    Message,
    MessageFile,
    MessageKind,
    MessageRole,
    Share,
    SharePage,
    UserFile,
)
from sessions_app.sharing.keys import digest_of as digest_of_key
from sessions_app.sharing.line import PAGE_MESSAGES, Line, digest_of

_SPEAKERS = (MessageRole.USER, MessageRole.ASSISTANT)
_MOST_USES = 20


@dataclass(frozen=True, slots=True)
class Said:
    """What a person or a model has said: ``tools`` are the names of those that the model has called after it."""

    role: MessageRole
    text: str
    status: str
    finish: str
    files: tuple[FileShape, ...]
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SharedPage:
    """A page of a shared chat, known by its ``digest``; ``said`` is None where another program has changed it since."""

    title: str
    created_at: datetime
    number: int
    pages: int
    digest: str
    said: tuple[Said, ...] | None


def page(key: str, number: int, *, is_user: bool) -> SharedPage | None:
    """Return a page of what a key shares with who asks, ``is_user`` where they are signed in; None where it is none."""
    share = _find(key, is_user=is_user)
    if share is None or (row := SharePage.objects.filter(share=share, number=number).first()) is None:
        return None
    messages = _unchanged(share, row)
    said = None if messages is None else tuple(_said(message) for message in messages if _is_shown(message))
    return SharedPage(share.title, share.created_at, number, share.pages, row.digest, said)


def _find(key: str, *, is_user: bool) -> Share | None:
    """Return the link that a key opens for who asks."""
    may = FeatureRule.allows(Feature.SHARING, "owner")
    valid = Q(owner__is_active=True, chat_session__owner=F("owner")) & (Q(expires_at=None) | Q(expires_at__gt=Now()))
    rows = Share.objects.filter(valid, may, digest=digest_of_key(key))
    match settings.HERMES_SHARING, is_user:
        case ("off", _) | ("users", False):
            return rows.none().first()
        case (_, True):
            return rows.first()
        case _:
            return rows.filter(audience=Audience.EVERYBODY).first()


def _unchanged(share: Share, row: SharePage) -> list[Message] | None:
    """Return the messages of a page; None where they hold something else than they did."""
    line = Line(share.chat_session_id, share.branch, row.last, share.until)
    messages, has_more = line.messages(PAGE_MESSAGES, first=row.first, last=row.last)
    return messages if not has_more and digest_of(messages) == row.digest else None


def _is_shown(message: Message) -> bool:
    return message.role in _SPEAKERS and message.kind == MessageKind.SAID


def _said(message: Message) -> Said:
    parts = known(message.parts)
    return Said(
        MessageRole(message.role),
        message.text,
        message.status,
        message.finish,
        tuple(file_shapes(parts)),
        tuple(call.name for call in tool_calls(parts)),
    )


def file(key: str, file_id: UUID, *, is_user: bool) -> UserFile | None:
    """Return a file of a message that a key shows to who asks, with its content; None where there is none."""
    share = _find(key, is_user=is_user)
    if share is None or not any(_shows(share, message, file_id) for message in _with_file(share, file_id)):
        return None
    rows = UserFile.objects.select_related("content")
    return rows.filter(pk=file_id, owner=share.owner_id, content__state=ContentState.READY).first()


def _with_file(share: Share, file_id: UUID) -> Sequence[Message]:
    """Return the messages of the shared line that have a file: the first of them, as a chat may say it in each."""
    last = SharePage.objects.filter(share=share).order_by("-number").values_list("last", flat=True).first()
    segments = branches.line_up_to(share.chat_session_id, share.branch, last or 0)
    uses = MessageFile.objects.filter(file=file_id, message__chat_session=share.chat_session_id)
    messages = (use.message for use in uses.select_related("message").order_by("message"))
    return [each for each in messages if any(segment.has(each) for segment in segments)][:_MOST_USES]


def _shows(share: Share, message: Message, file_id: UUID) -> bool:
    """Tell whether a page that is shown has a file in this message."""
    if not _is_shown(message) or file_id not in attachments.ids_in(message.parts):
        return False
    position = message.position
    row = SharePage.objects.filter(share=share, first__lte=position, last__gte=position).first()
    return row is not None and any(each.pk == message.pk for each in _unchanged(share, row) or [])
