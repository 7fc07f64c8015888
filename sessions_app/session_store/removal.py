"""Remove a profile: the sessions that followed it stay, to be read, until their users choose another."""

from __future__ import annotations

from django.db import transaction

from sessions_app.journal import Fact, record, recording
from sessions_app.models import AgentProfile, ChatSession, FactName, SessionStamp


def remove(profile: AgentProfile) -> None:
    """Delete a profile, and tell the users of its sessions. Whether it is the default is for the caller to ask.

    Locks are taken in the order that all take them in: stamps by id, sessions, journals, and the profile last.
    """
    with transaction.atomic():
        with recording():
            _leave(profile)
        profile.delete()


def _leave(profile: AgentProfile) -> None:
    """Take a profile from its sessions: a few statements, and a fact for each."""
    stamps = SessionStamp.objects.filter(chat_session__profile=profile).select_for_update(of=("self",))
    held = list(stamps.order_by("pk").values_list("chat_session__owner", "pk"))
    ChatSession.objects.filter(profile=profile).update(profile=None)
    for owner_id, session_id in held:
        record(Fact(owner_id, FactName.SESSION_UPDATED, session_id))
