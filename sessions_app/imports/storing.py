"""Store a chat that is brought, whole, in one transaction: the same ids where they are free, the same prompt where this
site has frozen it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from django.db.models.functions import Now

from sessions_app.conversations import access, attachments, memory, profiles, storage, transcript
from sessions_app.conversations.file_schemas import reference_of
from sessions_app.conversations.session_schemas import session_shape
from sessions_app.imports.chats import Chat
from sessions_app.journal import Fact, record
from sessions_app.llm.content.codec import decode, encode
from sessions_app.llm.content.parts import FileReference, Parts
from sessions_app.llm.content.prefix import FrozenPrefix, ToolSpec
from sessions_app.models import (
    AgentProfile,
    Branch,
    ChatSession,
    FactName,
    Message,
    MessageRating,
    SessionName,
    TitleSource,
    UserFile,
)
from sessions_app.models.sessions import TITLE_LENGTH
from sessions_app.session_store.chats import prefix_of
from sessions_app.tool_servers.definitions import specs_for
from sessions_app.transfer.rows import PREFIX
from sessions_app.transfer.seals import unsealed
from sessions_app.transfer.shapes import MessageRecord, SessionHead

_USERS = UUID("5f3f9c0e-6a3f-4d1c-9a55-0d1d3a2f7b11")
_ROWS_AT_ONCE = 500
_IDS_AT_ONCE = 500
OTHER_PROMPT = "It begins with another system prompt here."
LOST_FILE = "A file of it could not be taken."


@dataclass(frozen=True, slots=True)
class Stored:
    """What was stored of a chat: None for one that was there; ``notes`` say what is not as it was."""

    messages: int
    notes: tuple[str, ...] = ()


def other_id(user_id: int, original: UUID) -> UUID:
    """Return the id that stands in the place of one that is taken: the same each time, of user and original."""
    return uuid5(uuid5(_USERS, str(user_id)), str(original))


def is_there(user_id: int, session_id: UUID) -> bool:
    """Tell whether a user has a chat already, under its own id or the other one."""
    own = ChatSession.objects.filter(owner_id=user_id, pk__in=[session_id, other_id(user_id, session_id)])
    return own.exists()


def store(user_id: int, chat: Chat, files: Mapping[UUID, UserFile]) -> Stored | None:
    """Store a chat; None where it is there already. ``files`` are those of its files that were taken, by their ids.

    Raises TooMany, NotFound (the user may no longer act).
    """
    access.require_user(user_id)
    document, head = chat.document, chat.document.session
    if is_there(user_id, head.id):
        return None
    storage.admit_session(user_id)
    storage.admit_text(user_id, sum(len(message.text) for message in document.messages))
    profile, prefix, is_same = _beginning(user_id, head)
    branch_ids = _free(user_id, [branch.id for branch in document.branches])
    made = _insert(user_id, chat, profile, prefix, branch_ids)
    rows, lost = _messages(made, document.messages, branch_ids, files)
    _insert_messages(made, rows, document.messages)
    _insert_names(made, head)
    transcript.mark_as_told(made)
    shape = session_shape(access.chat_session(user_id, made.pk))
    record(Fact(user_id, FactName.SESSION_CREATED, made.pk, value=shape))
    notes = [*chat.missing, *([] if is_same else [OTHER_PROMPT]), *([LOST_FILE] if lost else [])]
    return Stored(len(rows), tuple(dict.fromkeys(notes)))


def _beginning(user_id: int, head: SessionHead) -> tuple[AgentProfile | None, str, bool]:
    """Return who answers, the frozen prefix, and whether that is the one that the chat had.

    That is the profile of the same name, where the user may choose it; only then what a seal says is believed. Of a
    profile that was removed the chat can be read, and answered by nobody, as before.
    """
    told = head.prefix
    named = profiles.choosable(user_id).filter(name=head.profile).first() if head.profile else None
    if told is not None and (named is not None or head.profile is None):
        frozen = unsealed(PREFIX, told.sealed)
        if isinstance(frozen, str) and _digest(frozen) == told.digest:
            return named, frozen, True
    profile = named or profiles.default(user_id)
    remembers = memory.is_enabled(user_id) and head.memory
    others = specs_for(user_id, profile)
    own = _own(profile, others, head, remembers=remembers).to_json()
    other = _own(profile, others, head, remembers=not remembers).to_json()
    if told is not None and _digest(other) == told.digest:
        return profile, other, True
    return profile, own, told is None or _digest(own) == told.digest


def _own(profile: AgentProfile, others: Sequence[ToolSpec], head: SessionHead, *, remembers: bool) -> FrozenPrefix:
    prefix = prefix_of(profile, others, remembers=remembers)
    if head.prefix is None:
        return prefix
    memories = tuple(head.prefix.memories) if profile.memory else ()
    return replace(prefix, instructions=head.prefix.instructions, memories=memories)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _free(user_id: int, ids: list[UUID]) -> dict[UUID, UUID]:
    """Return each id of a branch, or the other one where it is taken."""
    taken: set[UUID] = set()
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = Branch.objects.filter(pk__in=ids[start : start + _IDS_AT_ONCE])
        taken.update(some.values_list("pk", flat=True))
    return {each: other_id(user_id, each) if each in taken else each for each in ids}


def _insert(
    user_id: int, chat: Chat, profile: AgentProfile | None, prefix: str, branch_ids: Mapping[UUID, UUID]
) -> ChatSession:
    """Store the chat with its branches, and return it with the stamp that it has then."""
    head, branches = chat.document.session, chat.document.branches
    session_id = other_id(user_id, head.id) if ChatSession.objects.filter(pk=head.id).exists() else head.id
    ChatSession(
        pk=session_id,
        owner_id=user_id,
        profile=profile,
        title=head.title[:TITLE_LENGTH],
        title_by=head.title_by if head.title_by in TitleSource.values else TitleSource.PERSON,
        frozen_prefix=prefix,
        client_prompt=(head.client_prompt or "")[:32],
        client_tools=(head.client_tools or "")[:32],
        active_branch_id=branch_ids[head.active_branch],
        archived=head.archived,
        pinned=head.pinned,
        memory=head.memory,
        metadata=head.metadata if isinstance(head.metadata, dict) else None,
        created_at=head.created_at,
        updated_at=head.updated_at,
        imported_at=Now(),
    ).save(force_insert=True)
    Branch.objects.bulk_create(
        Branch(
            pk=branch_ids[branch.id],
            chat_session_id=session_id,
            parent_id=branch_ids[branch.parent] if branch.parent else None,
            fork_position=branch.fork_position if branch.parent else 0,
            created_at=branch.created_at or head.created_at,
        )
        for branch in branches
    )
    return access.chat_session(user_id, session_id)


def _messages(
    made: ChatSession,
    records: list[MessageRecord],
    branch_ids: Mapping[UUID, UUID],
    files: Mapping[UUID, UserFile],
) -> tuple[list[Message], bool]:
    """Return the rows of messages, and whether a file of them is lost."""
    ids = _message_ids(made.owner_id, [record.id for record in records])
    rows, lost = [], False
    for record_ in records:
        parts, is_whole = _with_files(decode(record_.parts), files)
        lost = lost or not is_whole
        rows.append(
            Message(
                public_id=ids[record_.id],
                owner_id=made.owner_id,
                chat_session=made,
                branch_id=branch_ids[record_.branch],
                position=record_.position,
                role=record_.role,
                text=record_.text,
                parts=record_.parts if is_whole and not _has_files(parts) else encode(parts),
                status=record_.status,
                finish=(record_.finish or "")[:14],
                kind=record_.kind or "",
                model=record_.model[:200] if record_.model else None,
                line_digest=record_.said[:32] if record_.said else None,
                created_at=record_.created_at or made.created_at,
            )
        )
    return rows, lost


def _message_ids(user_id: int, ids: list[UUID]) -> dict[UUID, UUID]:
    taken: set[UUID] = set()
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = Message.objects.filter(owner_id=user_id, public_id__in=ids[start : start + _IDS_AT_ONCE])
        taken.update(some.values_list("public_id", flat=True))
    return {each: other_id(user_id, each) if each in taken else each for each in ids}


def _has_files(parts: Parts) -> bool:
    return any(isinstance(part, FileReference) for part in parts)


def _with_files(parts: Parts, files: Mapping[UUID, UserFile]) -> tuple[Parts, bool]:
    """Return the parts with the files as they are here; False where one of them is missing: it is left out."""
    found = [_here(part, files) if isinstance(part, FileReference) else part for part in parts]
    return tuple(part for part in found if part is not None), None not in found


def _here(part: FileReference, files: Mapping[UUID, UserFile]) -> FileReference | None:
    try:
        file = files[UUID(part.id)]
    except (KeyError, ValueError):
        return None
    present = reference_of(file)
    is_same = (present.text, present.images, present.image_type) == (part.text, part.images, part.image_type)
    return replace(part, id=str(file.pk), folder=present.folder, digest=present.digest) if is_same else present


def _insert_messages(made: ChatSession, rows: list[Message], records: list[MessageRecord]) -> None:
    Message.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)
    attachments.note(rows)
    MessageRating.objects.bulk_create(
        MessageRating(message=row, rating=record_.rating, comment=record_.comment or "")
        for row, record_ in zip(rows, records, strict=True)
        if record_.rating is not None
    )


def _insert_names(made: ChatSession, head: SessionHead) -> None:
    """Give the chat the names of it that no other one of the user has."""
    names = list(dict.fromkeys(name[: SessionName._meta.get_field("name").max_length] for name in head.names or ()))
    taken = set(SessionName.objects.filter(owner_id=made.owner_id, name__in=names).values_list("name", flat=True))
    SessionName.objects.bulk_create(
        SessionName(owner_id=made.owner_id, chat_session=made, name=name) for name in names if name not in taken
    )
