"""Profiles for one person alone: the site is shared, so they are for a group of which nobody else is."""

from __future__ import annotations

from tests.browser.shell import act
from tests.live import LiveSite

# The first can be asked in tests; of the second a price is known.
_MAKE = """
from django.contrib.auth.models import Group, User
from sessions_app.models import AgentProfile
AgentProfile.default()
group = Group.objects.create(name={name!r})
User.objects.get(username={name!r}).groups.add(group)
for name, model, description in (
    ("Quick", "openai-chat:quick", "Short answers."),
    ("Thorough", "anthropic:claude-sonnet-4-5", "For long texts."),
):
    made = AgentProfile.objects.create(name=f"{{name}} of {name}", model=model, description=description, order=1)
    made.groups.add(group)
"""

_REMOVE = """
from sessions_app.models import AgentProfile
from sessions_app.session_store.removal import remove
remove(AgentProfile.objects.get(name={name!r}))
"""


def give_profiles(site: LiveSite, user: str) -> None:
    """Let a user choose between the default profile, one named Quick and one named Thorough."""
    act(site, _MAKE.format(name=user))


def remove_profile(site: LiveSite, user: str, name: str) -> None:
    """Remove one of a user's profiles, as admin does."""
    act(site, _REMOVE.format(name=f"{name} of {user}"))


def take_profiles(site: LiveSite) -> None:
    """Take them from everybody they were given to."""
    site.database.run("DELETE FROM auth_user_groups")
