"""Applying a profile, as it is now, to sessions that began with it as it was.

A session keeps its first prefix so that its provider finds it in the cache; who applies the profile pays once for
each conversation that is read anew, so that they are told before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.contrib.admin.models import CHANGE
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Right
from django.db.models.lookups import Exact
from django.http import HttpRequest

from sessions_app import audit
from sessions_app.admin import log, rights
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.conversations import access
from sessions_app.errors import NotFound
from sessions_app.llm.cache_ledger.requests import RequestRecord, expected_of
from sessions_app.llm.content.prefix import ToolSpec, with_own_words
from sessions_app.models import AgentProfile, ChatSession, UserMemory
from sessions_app.session_store.chats import prefix_of, refreeze
from sessions_app.tool_servers.definitions import specs_by_owners

RIGHT = "sessions_app.change_chatsession"
"""Who may apply a profile: it changes sessions, and nothing else of them can be changed in admin."""


def may_apply(request: HttpRequest) -> bool:
    """Tell whether the user may apply profiles to sessions: they are told whose prompts differ, so see prompts too."""
    return request.user.has_perm(RIGHT) and rights.may_see_prompts(request)


def behind(sessions: QuerySet[ChatSession], profiles: Iterable[AgentProfile]) -> QuerySet[ChatSession]:
    """Return those of the profiles' sessions whose prefix is an older one, but for what is their users' own."""
    older = Q(pk__in=[])
    for profile in profiles:
        same = Q(pk__in=[])
        for owners, others in specs_by_owners(profile, "owner"):
            same |= owners & _is_present(profile, others)
        older |= Q(profile=profile) & ~same
    return sessions.filter(older)


def _is_present(profile: AgentProfile, others: Sequence[ToolSpec]) -> Q:
    """Whether a session has the prefix of its profile now, with these tools of tool servers."""
    off = Q(memory=False) | Exists(UserMemory.objects.filter(owner=OuterRef("owner"), enabled=False))
    present, without = (prefix_of(profile, others, remembers=remembers).to_json() for remembers in (True, False))
    return _begins_with(present, profile) | (off & _begins_with(without, profile))


def _begins_with(frozen: str, profile: AgentProfile) -> Q:
    """Whether a session has this prefix, with or without what is its own: its user's memories where these are told."""
    end = with_own_words(frozen)
    same = Q(frozen_prefix=frozen) | _ends_with(end)
    # Memories are a list of texts, and the last of these.
    return same if profile.memory else same & ~_ends_with(f'"]{end}')


def _ends_with(end: str) -> Q:
    # LIKE takes A for a, on SQLite.
    return Q(Exact(Right("frozen_prefix", len(end)), Value(end)))


def tokens_kept(sessions: QuerySet[ChatSession]) -> int:
    """Return how many tokens the sessions' next requests may expect of a cache, and will not find there then."""
    requests = sessions.exclude(last_request="").values_list("last_request", flat=True)
    return sum(expected_of(RequestRecord.from_json(text)) for text in requests.iterator())


def apply(request: HttpRequest, sessions: QuerySet[ChatSession]) -> int:
    """Let the sessions begin with their profiles as they are now; return how many did not before.

    By id, each in a transaction of its own: thousands are not locked together, and what is done stays done.
    """
    keys = list(sessions.order_by("pk").values_list("owner_id", "pk"))
    return sum(_apply(request, owner_id, session_id) for owner_id, session_id in keys)


@transaction.atomic
def _apply(request: HttpRequest, owner_id: int, session_id: UUID) -> bool:
    try:
        chat_session = access.chat_session(owner_id, session_id, lock=True)
    except NotFound:
        return False  # somebody has just deleted it
    changed = refreeze(chat_session)
    if changed:
        log.note(request, [chat_session], CHANGE, "Applied the profile as it is now.")
        obj = Object(ObjectKind.SESSION, session_id)
        audit.record(Action.PROFILE_APPLIED, obj, user=owner_id, profile=chat_session.profile_id)
    return changed
