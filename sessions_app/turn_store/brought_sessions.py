"""The sessions of conversations that programs bring: made with the prompt and the tools that came with them.

Or a copy of another session's line, which has its own prompt and tools, or those that came.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sessions_app.conversations import access, branches, profiles, storage, transcript
from sessions_app.errors import NotFound
from sessions_app.llm.cache_ledger.requests import frozen_digest, prompt_digest, tools_digest
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.tools.client_tools import digest_of
from sessions_app.models import AgentProfile, ChatSession, Message, SessionName
from sessions_app.session_store import chats
from sessions_app.session_store.forking import copy_line, with_results
from sessions_app.session_store.inserting import insert_session
from sessions_app.tool_servers.definitions import specs_for
from sessions_app.turn_store.recognising import Found, Heard, Place, is_alike, named


class Moved(Exception):  # an outcome, not a fault
    """What was found is no longer so: look again."""


def made(user_id: int, heard: Heard, found: Found, source: ChatSession | None) -> tuple[ChatSession, Place]:
    """Return a new session, or a copy of ``source``, and the place where it ends. Raises Moved, NotFound, TooMany."""
    if source is not None and found.origin is not None:
        return _copied(user_id, heard, found.origin, source)
    name = found.name
    if name is not None and named(user_id, name):
        raise Moved
    storage.admit_session(user_id)
    new = insert_session(user_id, temporary=heard.temporary, **frozen(user_id, heard))
    if name is not None:
        SessionName.objects.create(owner_id=user_id, chat_session=new, name=name)
    new = access.chat_session(user_id, new.pk, lock=True)
    return new, Place(new.pk, new.stamp.revision, None, 0, ends=True)


def _copied(user_id: int, heard: Heard, origin: Message, source: ChatSession) -> tuple[ChatSession, Place]:
    try:
        origin = access.message(user_id, origin.public_id)
    except NotFound:
        raise Moved from None
    columns = {} if is_alike(source, heard) else frozen(user_id, heard)
    # Results of the program's own tools are brought by what is said.
    copy = copy_line(source, with_results(origin, of_client=False), temporary=heard.temporary, **columns)
    copy = access.chat_session(user_id, copy.pk, lock=True)
    [last], _ = branches.latest(copy, 1)
    return copy, Place(copy.pk, copy.stamp.revision, last, 0, ends=True)


def frozen(user_id: int, heard: Heard) -> dict[str, Any]:
    """Return the columns of a session that is answered as a conversation asks for. Raises NotFound."""
    profile = profiles.find(user_id, heard.profile_id)
    prefix = replace(_prefix(user_id, profile, heard.prompt), client_tools=heard.tools).to_json()
    brought = {"client_prompt": heard.prompt_digest, "client_tools": digest_of(heard.tools)}
    return {"profile_id": profile.pk, "frozen_prefix": prefix, "memory": heard.prompt is None, **brought}


def freeze(chat_session: ChatSession, heard: Heard) -> None:
    """Have a session answered as a conversation asks for, from this turn on: its prompt is read anew, once."""
    columns = frozen(chat_session.owner_id, heard)
    prefix = FrozenPrefix.from_json(columns["frozen_prefix"])
    columns["applied_prefix"] = frozen_digest(prompt_digest(prefix), tools_digest(prefix))
    for column, value in columns.items():
        setattr(chat_session, column, value)
    ChatSession.objects.filter(pk=chat_session.pk).update(**columns)
    transcript.mark_as_told(chat_session)


def _prefix(user_id: int, profile: AgentProfile, prompt: str | None) -> FrozenPrefix:
    """Return what a new session begins with: with the prompt that was brought, that one and nothing of the user's."""
    if prompt is None:
        return chats.new_prefix(user_id, profile, uses_memory=True)
    return replace(chats.prefix_of(profile, specs_for(user_id, profile), remembers=False), system_prompt=prompt)
