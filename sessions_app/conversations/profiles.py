"""Which profiles a user may choose: those for everybody, and those for one of their groups."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from sessions_app.conversations import reach
from sessions_app.conversations.session_schemas import ChoiceShape
from sessions_app.database import plain
from sessions_app.database.users import of_users
from sessions_app.errors import Conflict, NotFound, NotTaken
from sessions_app.llm.cache_ledger.prices import input_price
from sessions_app.llm.content.parts import FileReference, Parts
from sessions_app.llm.endpoint import Endpoint
from sessions_app.models import AgentProfile, ChatSession
from sessions_app.models.sealed import unseal

FORBIDDEN = "The model of this chat is no longer offered. Choose another to go on."
REMOVED = "The model of this chat was removed. Choose another."
NAMED_REMOVED = "The model that was to give this answer was removed. Ask again with another."
UNREADABLE = "The key of this chat's model cannot be read any more. An administrator has to enter it again."

# A statement of its own, because every turn asks it.
_MAY_USE = """
SELECT 1 FROM sessions_app_agentprofile AS profile WHERE profile.id = %s AND (
  NOT EXISTS (SELECT 1 FROM sessions_app_agentprofile_groups AS own WHERE own.agentprofile_id = profile.id)
  OR EXISTS (
    SELECT 1 FROM sessions_app_agentprofile_groups AS own
    JOIN {memberships} AS membership ON membership.group_id = own.group_id
    WHERE own.agentprofile_id = profile.id AND membership.{member} = %s
  )
)
"""


def may_use(user_id: int, profile_id: int) -> bool:
    """Tell whether a user may have turns answered with a profile."""
    return bool(plain.rows(of_users(_MAY_USE), [profile_id, user_id]))


def refusal(user_id: int, profile: AgentProfile | None) -> str:
    """Return why a user's turn may not be answered with a profile; empty where it may. None: it was removed."""
    if profile is None:
        return REMOVED
    return "" if may_use(user_id, profile.pk) else FORBIDDEN


def check_profile(chat_session: ChatSession) -> None:
    """Make sure that the session's user may still use its profile. Raises Conflict."""
    if reason := refusal(chat_session.owner_id, chat_session.profile):
        raise Conflict(reason, profile=chat_session.profile.pk if chat_session.profile else None)


def check_takes(profile: AgentProfile | None, parts: Parts) -> None:
    """Make sure that a profile's model takes the files of a message. Raises NotTaken."""
    files = [part for part in parts if isinstance(part, FileReference)]
    if profile and not profile.takes_images and any(part.media_type.startswith("image/") for part in files):
        raise NotTaken("The model of this chat takes no pictures.", profile=profile.pk)
    if profile and not profile.takes_files and any(not part.media_type.startswith("image/") for part in files):
        raise NotTaken("The model of this chat takes no documents.", profile=profile.pk)


def endpoint_of(profile: AgentProfile) -> Endpoint | None:
    """Return where a profile's model answers, None where the environment says. Raises UnreadableSecret."""
    if not profile.base_url:
        return None
    return Endpoint(profile.base_url, unseal(profile.sealed_key) if profile.sealed_key else "")


def find(user_id: int, profile_id: int) -> AgentProfile:
    """Return a profile that the user may choose. Raises NotFound."""
    profile = choosable(user_id).filter(pk=profile_id).first()
    if profile is None:
        raise NotFound
    return profile


def default(user_id: int) -> AgentProfile:
    """Return the profile of a user's sessions that name none: the default, else the first that they may choose.

    Raises NotFound where there is none. With a token of one profile it is that.
    """
    if (only := reach.profile()) is not None:
        return find(user_id, only)
    profile = AgentProfile.default()
    if may_use(user_id, profile.pk):
        return profile
    first = choosable(user_id).first()
    if first is None:
        raise NotFound
    return first


def listing(user_id: int) -> list[ChoiceShape] | None:
    """Return what ``offered`` does, as clients are told it."""
    found = offered(user_id)
    return None if found is None else [_choice(profile) for profile in found]


def offered(user_id: int) -> list[AgentProfile] | None:
    """Return the profiles that a user may choose, in their order; None where the site's default one is not made yet."""
    if not AgentProfile.objects.filter(is_default=True).exists():
        return None
    return list(choosable(user_id))


def choosable(user_id: int) -> QuerySet[AgentProfile]:
    """Return the profiles that a user may choose, in their order."""
    for_user = Q(groups__isnull=True) | Q(groups__user=user_id)
    return reach.reached(AgentProfile.objects.filter(for_user), "pk").distinct().order_by("order", "name")


def _choice(profile: AgentProfile) -> ChoiceShape:
    return ChoiceShape(
        id=profile.pk,
        name=profile.name,
        description=profile.description,
        model=profile.effective_model,
        is_default=profile.is_default,
        memory=profile.memory,
        takes_images=profile.takes_images,
        takes_files=profile.takes_files,
        input_price=input_price(profile.effective_model, profile.base_url),
    )
