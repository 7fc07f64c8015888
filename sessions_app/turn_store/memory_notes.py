"""Have a running session learn how its user's memory stands: by a note, appended where its next turn begins.

What the line tells the model is compared with what is in effect, by one value each. So a line gets a note where it
needs one, and no other: in another branch, in a fork, and after a summary, too.
"""

from __future__ import annotations

from sessions_app.conversations import memory
from sessions_app.conversations.access import ActingUser
from sessions_app.conversations.transcript import NewMessage
from sessions_app.llm.content.memory import digest_of, note_of
from sessions_app.llm.content.parts import Note
from sessions_app.models import ChatSession, MessageKind, MessageRole


def needed(chat_session: ChatSession, user: ActingUser) -> NewMessage | None:
    """Return the note without which the line would not tell the present memory; None where it does.

    Under the locks of session and user.
    """
    if user.memory is None:
        return None  # there never was a memory
    is_on = memory.is_on(chat_session)
    told = memory.digest_told(chat_session)
    if told == (user.memory if is_on else ""):
        return None
    present = memory.read(user.id)
    memories = present.told if is_on else ()
    if told == digest_of(memories):
        return None  # another process has changed it while this one waited for the lock
    text = note_of(memories, is_on=is_on and present.enabled)
    return NewMessage(MessageRole.USER, text, (Note(memory=digest_of(memories)),), kind=MessageKind.NOTE)
