"""Agent profiles: what a new session's agent is made of."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

DEFAULT_SYSTEM_PROMPT = (
    "You are a helpful assistant. Answer in the language of the user, in Markdown where it helps. "
    "Say so plainly when you do not know something."
)


OPENAI_WIRES = ("openai", "openai-chat", "openai-responses")
"""What model strings of servers with an address of their own begin with."""


def check_base_url(address: str) -> None:
    """Refuse what is no address of a server's API. Raises ValidationError."""
    try:
        parts = urlsplit(address)
        is_sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or not address.isascii() or not address.isprintable() or " " in address:
        raise ValidationError("This must be an address such as https://models.example.org/v1.")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValidationError("The address must have no user name, no “?” and no “#”.")


def origin_of(address: str) -> tuple[str, str | None, int | None]:
    """Return to whom a key goes that is sent to an address which was checked."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port


def default_tools() -> list[str]:
    """Return the tools of a new profile, by name."""
    return ["calculator", "search_chats", "remember"]


class AgentProfile(models.Model):
    """What the agent of a session is made of: model, system prompt and tools.

    The system prompt and the tools are frozen into a session when it is created, so an edit
    applies to new sessions, and to an existing one when somebody applies it there
    (``sessions_app.session_store.chats``); the model is followed by existing sessions too. Users choose among those
    that are for everybody (no ``groups``) and for one of their groups, in their ``order``. ``context`` is the model's
    window in tokens, null where nobody has said it; ``learnt_context`` is what a provider's refusal has told of the
    window of ``learnt_model``, which names the model and its address. With a ``base_url`` the model is one of a server
    there, which gets the key that ``sealed_key`` is made of (``models.sealed``), and no key of the environment.
    """

    name = models.CharField(max_length=100, unique=True)
    model = models.CharField(
        max_length=200,
        blank=True,
        help_text="A Pydantic AI model string, or demo. Empty: what HERMES_MODEL says.",
    )
    base_url = models.CharField(
        "base URL",
        max_length=500,
        blank=True,
        default="",
        db_default="",
        validators=[check_base_url],
        help_text="Of a server that speaks OpenAI's API, such as https://models.example.org/v1. Empty: the provider's "
        "own, or what the environment says.",
    )
    sealed_key = models.TextField(blank=True, default="", db_default="", editable=False)
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
    learnt_context = models.PositiveIntegerField(null=True, blank=True, editable=False)
    learnt_model = models.CharField(max_length=701, blank=True, default="", db_default="", editable=False)
    system_prompt = models.TextField(blank=True, default=DEFAULT_SYSTEM_PROMPT)
    tools = models.JSONField(default=default_tools, blank=True, help_text="Names of tools, as a JSON list.")
    memory = models.BooleanField(
        default=True,
        db_default=True,
        help_text="What its users want to be remembered is told to the model. The tool “remember” needs it too.",
    )
    takes_images = models.BooleanField(
        default=True, db_default=True, help_text="Off: its users can send no pictures, and it is sent none."
    )
    takes_files = models.BooleanField(default=True, db_default=True, help_text="Off: its users can send no documents.")
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_profile")
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse an address for a model that none is needed for. Raises ValidationError."""
        wire, _, name = self.model.partition(":")
        if self.base_url and (wire not in OPENAI_WIRES or not name):
            raise ValidationError({"model": "With a base URL the model must be named like openai-chat:NAME."})

    @property
    def effective_model(self) -> str:
        """The model string that answers: the profile's own, else ``HERMES_MODEL``."""
        return self.model or str(settings.HERMES_MODEL)

    @classmethod
    def default(cls) -> AgentProfile:
        """Return the profile of sessions that name none, creating it on first use."""
        profile, _ = cls.objects.get_or_create(is_default=True, defaults={"name": "Default"})
        return profile
