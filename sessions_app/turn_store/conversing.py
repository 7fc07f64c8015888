"""Store a conversation that a program makes before anybody is asked."""

from __future__ import annotations

from collections.abc import Sequence

from sessions_app.conversations import access, attachments, profiles, storage, titles, transcript
from sessions_app.conversations.line_digests import Said
from sessions_app.conversations.session_schemas import session_shape
from sessions_app.files.brought import Brought
from sessions_app.journal import Fact, record
from sessions_app.models import ChatSession, FactName
from sessions_app.session_store.inserting import insert_session
from sessions_app.turn_store.brought_sessions import frozen
from sessions_app.turn_store.continuing import rows_of
from sessions_app.turn_store.recognising import Heard


def begin_conversation(
    user_id: int, prompt: str | None, said: Sequence[Said], metadata: dict[str, str] | None
) -> ChatSession:
    """Store a conversation that is to be gone on with, by the user's default profile.

    Raises NotKept, NotFound, TooMany.
    """
    access.require_user(user_id)
    storage.admit_session(user_id)
    storage.admit_text(user_id, sum(len(each.text) for each in said))
    heard = Heard(profiles.default(user_id).pk, prompt, tuple(said))
    new = insert_session(user_id, metadata=metadata, **frozen(user_id, heard))
    chat_session = access.chat_session(user_id, new.pk, lock=True)
    if said:
        rows = rows_of(said, 0, files=Brought(user_id, said))
        attachments.note(transcript.append_history(chat_session, rows).messages)
    if asked := titles.first_words(said):
        titles.name(chat_session, asked)
    record(Fact(user_id, FactName.SESSION_CREATED, chat_session.pk, value=session_shape(chat_session)))
    return chat_session
