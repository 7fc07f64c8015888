"""Give a session the tools that its client has brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sessions_app.conversations import transcript
from sessions_app.llm.content.prefix import FrozenPrefix, ToolSpec
from sessions_app.llm.tools.client_tools import digest_of
from sessions_app.models import ChatSession


def bring(chat_session: ChatSession, tools: Sequence[ToolSpec]) -> bool:
    """Have a session's client bring these tools (``client_tools.collected``), and no others, from its next turn on.

    False where it has brought the same before. Else its provider reads the whole prompt once more. The caller holds
    the session's lock. Raises ValueError where another program has written what is no prefix.
    """
    digest = digest_of(tools)
    if digest == chat_session.client_tools:
        return False
    prefix = replace(FrozenPrefix.from_json(chat_session.frozen_prefix), client_tools=tuple(tools))
    chat_session.frozen_prefix, chat_session.client_tools = prefix.to_json(), digest
    ChatSession.objects.filter(pk=chat_session.pk).update(frozen_prefix=chat_session.frozen_prefix, client_tools=digest)
    transcript.mark_as_told(chat_session)
    return True
