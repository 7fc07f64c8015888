"""Agent profiles: what a new session's agent is made of."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

DEFAULT_SYSTEM_PROMPT = (
    "You are a helpful assistant. Answer in the language of the user, in Markdown where it helps. "
    "Say so plainly when you do not know something."
)


def default_tools() -> list[str]:
    """Return the tools of a new profile, by name."""
    return ["calculator", "search_chats"]


class AgentProfile(models.Model):
    """What the agent of a session is made of: model, system prompt and tools.

    The system prompt and the tools are frozen into a session when it is created, so an edit
    applies to new sessions, and to an existing one when somebody applies it there
    (``sessions_app.session_store.chats``); the model is followed by existing sessions too. Users choose among those
    that are for everybody (no ``groups``) and for one of their groups, in their ``order``. ``context`` is the model's
    window in tokens, null where nobody has said it.
    """

    name = models.CharField(max_length=100, unique=True)
    model = models.CharField(
        max_length=200,
        blank=True,
        help_text="A Pydantic AI model string, or demo. Empty: what HERMES_MODEL says.",
    )
    description = models.CharField(max_length=300, blank=True, help_text="For users who choose a model.")
    order = models.PositiveIntegerField(
        default=0, db_default=0, blank=True, help_text="Lower numbers are listed first."
    )
    groups = models.ManyToManyField(
        "auth.Group",
        blank=True,
        related_name="+",
        help_text="Only users in one of these groups may use it. None: everybody.",
    )
    context = models.PositiveIntegerField(null=True, blank=True, help_text="Tokens that the model's window holds.")
    system_prompt = models.TextField(blank=True, default=DEFAULT_SYSTEM_PROMPT)
    tools = models.JSONField(default=default_tools, blank=True, help_text="Names of tools, as a JSON list.")
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_profile")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def effective_model(self) -> str:
        """The model string that answers: the profile's own, else ``HERMES_MODEL``."""
        return self.model or str(settings.HERMES_MODEL)

    @classmethod
    def default(cls) -> AgentProfile:
        """Return the profile of sessions that name none, creating it on first use."""
        profile, _ = cls.objects.get_or_create(is_default=True, defaults={"name": "Default"})
        return profile
