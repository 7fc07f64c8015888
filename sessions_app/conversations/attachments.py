"""Which message, and which turn that waits, has which files; a file goes with the last that has it.

What a message says of its files stands in its parts. The rows here keep a file from being removed, so they are written
in the transaction that stores those parts, under the user's lock (``access.lock_user``), like all that removes a file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from sessions_app.conversations import access, reach
from sessions_app.conversations.file_schemas import reference_of
from sessions_app.errors import NotFound
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import FileReference, Parts
from sessions_app.models import ContentState, FileContent, Message, MessageFile, Turn, TurnFile, UserFile


def find(user_id: int, file_ids: Sequence[UUID]) -> list[UserFile]:
    """Return files of a user, in this order, with their contents. Raises NotFound. Under the user's lock."""
    if not file_ids:
        return []
    rows = UserFile.objects.select_related("content").filter(owner_id=user_id, content__state=ContentState.READY)
    found = _reached(rows).in_bulk(file_ids)
    if len(found) != len(set(file_ids)):
        raise NotFound
    return [found[file_id] for file_id in dict.fromkeys(file_ids)]


def with_contents(user_id: int, contents: Collection[FileContent]) -> QuerySet[UserFile]:
    """Return the user's files that hold one of these, the newest last."""
    rows = UserFile.objects.filter(owner_id=user_id, content__in=contents).select_related("content")
    return _reached(rows).order_by("created_at", "pk")


def _reached(rows: QuerySet[UserFile]) -> QuerySet[UserFile]:
    """Return those of the files that were not sent yet, or that a chat has which the caller's token reaches."""
    if (only := reach.profile()) is None:
        return rows
    in_message = Exists(MessageFile.objects.filter(file=OuterRef("pk"), message__chat_session__profile=only))
    in_turn = Exists(TurnFile.objects.filter(file=OuterRef("pk"), turn__chat_session__profile=only))
    return rows.filter(Q(attached=False) | Q(in_message) | Q(in_turn))


def parts_of(files: Iterable[UserFile]) -> Parts:
    """Return the parts of a message that has these files."""
    return tuple(reference_of(file) for file in files)


def note(messages: Iterable[Message]) -> None:
    """Note the files of messages that were stored in this transaction, as far as they are still there."""
    uses = [(message, file_id) for message in messages for file_id in ids_in(message.parts)]
    if not uses:
        return
    there = _note_attached(file_id for _, file_id in uses)
    MessageFile.objects.bulk_create(
        MessageFile(message=message, file_id=file_id) for message, file_id in uses if file_id in there
    )


def keep_for(turn: Turn) -> None:
    """Keep the files of a turn that waits."""
    if ids := ids_in(turn.parts):
        TurnFile.objects.bulk_create(TurnFile(turn=turn, file_id=file_id) for file_id in _note_attached(ids))


def let_go(turn: Turn) -> None:
    """Keep the files of a turn no longer: its message has them."""
    if turn.parts:
        TurnFile.objects.filter(turn=turn).delete()


def _note_attached(file_ids: Iterable[UUID]) -> set[UUID]:
    """Note that files are no longer unsent, and return those that are there."""
    rows = UserFile.objects.filter(pk__in=set(file_ids))
    rows.filter(attached=False).update(attached=True)
    return set(rows.values_list("pk", flat=True))


def ids_in(parts: object) -> list[UUID]:
    """Return the ids of files among the stored parts of a message."""
    return list(
        dict.fromkeys(UUID(part.id) for part in known(parts) if isinstance(part, FileReference) and part.folder)
    )


def of_message(message: Message) -> list[UUID]:
    """Return the ids of a message's files that are still there, in their order."""
    there = set(MessageFile.objects.filter(message=message).values_list("file_id", flat=True))
    return [file_id for file_id in ids_in(message.parts) if file_id in there]


def of_session(session_id: UUID) -> set[UUID]:
    """Return the ids of all files that a session has, in its messages and its turns."""
    in_messages = MessageFile.objects.filter(message__chat_session=session_id)
    in_turns = TurnFile.objects.filter(turn__chat_session=session_id)
    return {file_id for uses in (in_messages, in_turns) for file_id in uses.values_list("file_id", flat=True)}


def unused(rows: QuerySet[UserFile]) -> QuerySet[UserFile]:
    """Return those of the files that no message and no turn has."""
    in_message = Exists(MessageFile.objects.filter(file=OuterRef("pk")))
    in_turn = Exists(TurnFile.objects.filter(file=OuterRef("pk")))
    return rows.exclude(Q(in_message) | Q(in_turn))


def release(owner_id: int, file_ids: Collection[UUID]) -> int:
    """Remove those of a user's files that nothing has any more; return how many. Comes after the session's lock."""
    if not file_ids:
        return 0
    access.lock_user(owner_id)
    rows = unused(UserFile.objects.filter(owner_id=owner_id, pk__in=file_ids))
    gone = dict(rows.values_list("pk", "content_id"))
    UserFile.objects.filter(pk__in=gone).delete()
    give_up(set(gone.values()))
    return len(gone)


def give_up(content_ids: Collection[int]) -> None:
    """Have contents removed that no file has any more: they take no room from now on. Under the user's lock."""
    held = Exists(UserFile.objects.filter(content=OuterRef("pk")))
    FileContent.objects.filter(~held, pk__in=content_ids).update(state=ContentState.REMOVED)
