"""Tool servers (MCP) that an operator has added, and the tools they offer: what models are told of them, and when.

The way of a definition: a listing stores what the server offers now (``offered_…``). The operator takes it, which is
when it becomes the tool's own (``description``, ``parameters``). A session that begins, or has its profile applied,
gets the own definitions of the tools that are switched on, frozen into its prefix, whether the server is there or not.
So neither another listing nor a taken definition changes a byte of a session that has begun.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from sessions_app.models.profiles import AgentProfile
from sessions_app.models.sealed import seal, unseal

SERVER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
"""What a tool server may be named: the names of its tools begin with it."""

MAX_TOOL_NAME = 64
"""Characters of a tool's name, as models are told it."""


def check_server_name(name: str) -> None:
    """Refuse a name that no tool's name could begin with. Raises ValidationError."""
    if not SERVER_NAME.fullmatch(name):
        raise ValidationError("This must be 1 to 32 letters, digits, underscores and hyphens, and begin with a letter.")


def check_server_url(address: str) -> None:
    """Refuse what is no address of a tool server. Raises ValidationError."""
    try:
        parts = urlsplit(address)
        is_sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or not address.isascii() or not address.isprintable() or " " in address:
        raise ValidationError("This must be an address such as https://tools.example.org/mcp.")
    if parts.username is not None or parts.fragment:
        raise ValidationError("The address must have no user name and no “#”.")


class ToolStanding(models.TextChoices):
    """Whether a tool may be called: not at all, after a person has agreed, or by the model as it likes."""

    OFF = "off"
    ASK = "ask"
    ALLOWED = "allowed"


class ToolServer(models.Model):
    """A tool server: at an address (streamable HTTP), or a command of which this host runs a process (stdio).

    ``sealed_headers`` is a JSON object of the headers that each request has, sealed like the keys of model servers;
    they are for the address that they were entered for. Its tools are part of new sessions of its ``profiles``. One
    that is not ``enabled`` has no tools: none is part of a new session, and none is called. ``listed_at`` is when it
    last told its tools, null for never, ``failed_at`` when an operator last asked it and got none, and ``failure`` why.
    One that ``asks_users`` has said so to an operator: each user gives it an authorisation of their own. With
    ``groups`` its tools are called for their members alone (``tool_servers.source``); others' prompts keep their bytes.
    """

    name = models.CharField(max_length=32, unique=True, validators=[check_server_name])
    url = models.CharField(
        "URL",
        max_length=500,
        blank=True,
        default="",
        validators=[check_server_url],
        help_text="Of a server that speaks MCP over HTTP, such as https://tools.example.org/mcp.",
    )
    command = models.CharField(
        max_length=1000,
        blank=True,
        default="",
        help_text="What this host runs for a server that speaks MCP on its standard input and output.",
    )
    sealed_headers = models.TextField(blank=True, default="", editable=False)
    enabled = models.BooleanField(default=True, db_default=True, help_text="Off: none of its tools is called.")
    profiles = models.ManyToManyField(
        AgentProfile, blank=True, related_name="tool_servers", help_text="New sessions of these have its tools."
    )
    groups = models.ManyToManyField(
        "auth.Group",
        blank=True,
        related_name="+",
        help_text="Only for users in one of these groups its tools are called. None: everybody.",
    )
    listed_at = models.DateTimeField(null=True, editable=False)
    failure = models.CharField(max_length=400, blank=True, default="", db_default="", editable=False)
    failed_at = models.DateTimeField(null=True, editable=False)
    asks_users = models.BooleanField(default=False, db_default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(url="", command__gt="") | Q(command="", url__gt=""), name="tool_server_has_one_way"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a server that has no way to it, or two. Raises ValidationError."""
        if bool(self.url) == bool(self.command):
            raise ValidationError("A tool server has either a URL or a command.")

    @property
    def headers(self) -> dict[str, str]:
        """The headers that are kept. Raises UnreadableSecret."""
        headers: dict[str, str] = json.loads(unseal(self.sealed_headers)) if self.sealed_headers else {}
        return headers

    def keep_headers(self, headers: dict[str, str]) -> None:
        """Keep these headers and no others; the row is not saved."""
        self.sealed_headers = seal(json.dumps(headers)) if headers else ""


class ToolServerTool(models.Model):
    """A tool of a server. ``name`` is the server's word for it, ``full_name`` what models are told; it never changes.

    ``description`` and ``parameters`` (canonical JSON text of a schema) are its own definition, which new sessions are
    told where it is not off; the ``offered_`` ones are those that the server listed last, at ``listed_at``. They differ
    where the server has changed a tool that is switched on, until the operator takes it; of a tool that is off they are
    the same. ``problem`` says why the offered definition cannot be taken, empty for one that can. One that the server
    no longer lists is not ``is_offered``: it is told and called all the same while it is switched on, since a server
    may forget a tool for an hour. ``decided_at`` is when an operator last decided on it, null for a new one.
    """

    server = models.ForeignKey(ToolServer, on_delete=models.CASCADE, related_name="tools")
    name = models.CharField(max_length=200)
    full_name = models.CharField(max_length=MAX_TOOL_NAME, unique=True)
    standing = models.CharField(max_length=7, choices=ToolStanding, default=ToolStanding.OFF)
    description = models.TextField(blank=True)
    parameters = models.TextField()
    offered_description = models.TextField(blank=True)
    offered_parameters = models.TextField()
    problem = models.CharField(max_length=400, blank=True)
    is_offered = models.BooleanField(default=True)
    listed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["server", "name"], name="one_tool_of_a_name"),
            models.CheckConstraint(condition=Q(standing__in=ToolStanding.values), name="tool_standing_known"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def is_changed(self) -> bool:
        """Whether the server offers another definition than the one that new sessions are told."""
        own, offered = (self.description, self.parameters), (self.offered_description, self.offered_parameters)
        return not self.problem and own != offered

    def take(self) -> None:
        """Make the offered definition the tool's own, unless it cannot be used; the row is not saved."""
        if not self.problem:
            self.description, self.parameters = self.offered_description, self.offered_parameters
