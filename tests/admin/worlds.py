"""Two worlds that differ only in what a reader has no right to see: the same pages must show them alike."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib import admin
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group, User
from django.db import models
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.timezone import localdate, now

from sessions_app.accounts.models import IdentityProvider, ProviderGroup
from sessions_app.models import (
    AgentProfile,
    ApiToken,
    AuditEntry,
    Branch,
    Budget,
    BudgetPeriod,
    ChatSession,
    DeletionRequest,
    Feature,
    FeatureRule,
    LegalHold,
    Memory,
    MemoryDecision,
    Message,
    PurgeRun,
    RetentionPolicy,
    Share,
    ToolServer,
    ToolServerTool,
    Turn,
    UserInstructions,
    UserMemory,
    Webhook,
    WebhookDelivery,
)
from tests.admin.conftest import list_of, make_session, make_turn, page_of, say

MODELS: tuple[Any, ...] = (
    *(User, Group, AgentProfile, ApiToken, Branch, ChatSession, Message, Turn, UserInstructions),
    *(UserMemory, Memory, MemoryDecision, ToolServer, ToolServerTool, FeatureRule),
    *(IdentityProvider, ProviderGroup),
    *(RetentionPolicy, LegalHold, DeletionRequest, PurgeRun, Budget, BudgetPeriod),
    *(Webhook, WebhookDelivery, Share),
)
COUNTED = {f"Turn.{name}_tokens" for name in ("input", "cached", "cache_write", "output", "reasoning", "expected")} | {
    f"Turn.{name}" for name in ("prefix_digest", "miss", "cost", "saved")
}
SHOWN: dict[str, set[str]] = {
    "chatsession": COUNTED
    | {f"ChatSession.{name}" for name in ("archived", "pinned", "created_at", "updated_at")}
    | {"User.username", "AgentProfile.name", "AgentProfile.model"},
    "turn": {f"Turn.{field.name}" for field in Turn._meta.fields}
    - {f"Turn.{name}" for name in ("text", "checkpoint", "claim", "message_id", "answer_id", "last_seq", "held")}
    | {"User.username", "AgentProfile.name"},
    "agentprofile": {f"AgentProfile.{field.name}" for field in AgentProfile._meta.fields} - {"AgentProfile.sealed_key"}
    | {"Group.name"},
    "share": {f"Share.{name}" for name in ("audience", "pages", "created_at", "expires_at")} | {"User.username"},
    "apitoken": {f"ApiToken.{name}" for name in ("name", "created_at", "expires_at", "last_used_at")}
    | {f"ApiToken.{name}" for name in ("can_read_metrics", "reads_only", "is_for_scim")}
    | {"User.username", "AgentProfile.name"},
    "toolserver": {f"ToolServer.{field.name}" for field in ToolServer._meta.fields} - {"ToolServer.sealed_headers"}
    | {f"ToolServerTool.{field.name}" for field in ToolServerTool._meta.fields}
    - {f"ToolServerTool.{name}" for name in ("full_name", "listed_at")}
    | {"AgentProfile.name", "Group.name"},
    "featurerule": {"Group.name"},
    "webhook": {f"Webhook.{field.name}" for field in Webhook._meta.fields}
    - {f"Webhook.{name}" for name in ("sealed_secret", "cursor", "created_at")}
    | {"Group.name"},
    "webhookdelivery": {f"WebhookDelivery.{field.name}" for field in WebhookDelivery._meta.fields}
    - {f"WebhookDelivery.{name}" for name in ("webhook", "claim", "created_at", "by_hand")}
    | {"Webhook.name"},
    "identityprovider": set(),
    "user": {f"User.{field.name}" for field in User._meta.fields} - {"User.password"} | {"Group.name"},
    "group": {"Group.name"},
    "auditentry": {"User.username"},
    "retentionpolicy": {"RetentionPolicy.days", "RetentionPolicy.archived_days", "Group.name"},
    "legalhold": {"LegalHold.reason", "LegalHold.created_at", "User.username"},
    "deletionrequest": {f"DeletionRequest.{name}" for name in ("kind", "asked_at", "due_at", "begun_at")}
    | {"User.username"},
    "purgerun": {f"PurgeRun.{field.name}" for field in PurgeRun._meta.fields}
    - {"PurgeRun.claim", "PurgeRun.heartbeat_at"},
    "budget": {f"Budget.{name}" for name in ("per", "unit", "amount", "warn_at")}
    | {f"BudgetPeriod.{name}" for name in ("began", "spent", "reserved", "unpriced")}
    | {"User.username", "Group.name"},
}
"""The columns that the right to view a model shows (docs/operations.md), by the model's name in the right."""

TIED = {"Webhook.enabled", "Webhook.cursor", "WebhookDelivery.state", "WebhookDelivery.next_at"}
"""Columns that the database lets change only together."""

OTHER_EACH_TIME = (
    r'name="csrfmiddlewaretoken" value="\w+"|_at__(gte|lt)=[^&"]+'
    r'|class="field-revision">\d+|Revision:</label>\s+<div class="readonly">\d+'
)
_numbers = count(1)


def people() -> list[User]:
    """Two ordinary users, each with a row of everything."""
    users = []
    FeatureRule.complete()
    for name, feature in (("alice", Feature.FILES), ("bob", Feature.SHARING)):
        user = User.objects.create_user(f"user {name}", password=name)
        group = Group.objects.create(name=f"group {name}")
        user.groups.add(group)
        give(group, name, feature)
        profile = AgentProfile.objects.create(name=f"profile {name}", sealed_key=f"key {name}")
        profile.groups.add(group)
        server = ToolServer.objects.create(
            name=f"server-{name}", url=f"https://{name}.example/mcp", sealed_headers=f"headers {name}"
        )
        server.profiles.add(profile)
        server.tools.create(
            name=f"tool {name}",
            full_name=f"full_name_{name}",
            parameters="{}",
            offered_parameters="{}",
            listed_at=now(),
        )
        webhook = Webhook.objects.create(
            name=f"webhook {name}",
            url=f"https://{name}.example/",
            events=[name],
            sealed_secret=f"secret {name}",
            cursor=0,
        )
        webhook.groups.add(group)
        webhook.deliveries.create(name=f"event {name}", owner_id=user.pk, happened_at=now())
        chat_session = make_session(user, f"title {name}", profile=profile)
        turn = make_turn(chat_session, text=f"text {name}", checkpoint=f"checkpoint {name}", prefix_digest="d")
        MemoryDecision.objects.create(message=say(chat_session, 0, f"message {name}", turn=turn), saved=True)
        ApiToken.issue(user, f"token {name}")
        share(chat_session, name)
        UserInstructions.objects.create(owner=user, text=f"instructions {name}")
        record_of(user)
        UserMemory.objects.create(owner=user, digest=f"digest {name}")
        Memory.objects.create(owner=user, text=f"memory {name}")
        what_deletes(user, group, name)
        budget = Budget.objects.create(user=user, per="day", unit="usd", amount=len(name) * 10**9)
        BudgetPeriod.objects.create(budget=budget, began=localdate(), spent=len(name), reserved=1, unpriced=2)
        users.append(user)
    return users


def share(chat_session: ChatSession, name: str) -> None:
    """A link of the chat's owner to it."""
    Share.objects.create(
        owner=chat_session.owner,
        chat_session=chat_session,
        digest=f"digest {name}",
        sealed=f"sealed {name}",
        audience="users",
        title=f"shared {name}",
        until=uuid.uuid4(),
        branch=uuid.uuid4(),
        pages=1,
    )


def what_deletes(user: User, group: Group, name: str) -> None:
    """A row of each of what says when something is deleted."""
    RetentionPolicy.objects.create(group=group, days=next(_numbers))
    LegalHold.objects.create(owner=user, reason=f"reason {name}")
    DeletionRequest.objects.create(owner=user, kind="chats", due_at=now())
    PurgeRun.objects.create(claim=uuid.uuid4(), process=f"process {user.username}")


def give(group: Group, name: str, feature: Feature) -> None:
    """A feature for the group, and an identity provider that may give it."""
    FeatureRule.objects.get(feature=feature).groups.add(group)
    issuer = f"https://{name}.example"
    provider = IdentityProvider.objects.create(key=name, name=name, issuer=issuer, client_id=name)
    provider.groups.create(value=f"value {name}", group=group)


def record_of(user: User) -> None:
    """A row of the audit about them. (No part of it is another in the other world: it cannot be changed.)"""
    number = next(_numbers)
    row = {"actor_kind": "user", "actor_id": user.pk, "object_kind": "user", "object_id": user.pk, "details": "{}"}
    AuditEntry.objects.bulk_create([AuditEntry(number=number, recorded_at=now(), action="login.made", **row)])


def rows_of(model: Any, users: Iterable[User]) -> models.QuerySet[Any]:
    """The rows of a model that belong to these users."""
    by: dict[Any, dict[str, Any]] = {
        User: {"pk__in": [user.pk for user in users]},
        Group: {"user__in": users},
        AuditEntry: {"actor_id__in": [user.pk for user in users]},
        AgentProfile: {"chat_sessions__owner__in": users},
        Branch: {"chat_session__owner__in": users},
        FeatureRule: {"groups__user__in": users},
        IdentityProvider: {"groups__group__user__in": users},
        ProviderGroup: {"group__user__in": users},
        MemoryDecision: {"message__owner__in": users},
        RetentionPolicy: {"group__user__in": users},
        PurgeRun: {"process__in": [f"process {user.username}" for user in users]},
        ToolServer: {"profiles__chat_sessions__owner__in": users},
        Webhook: {"groups__user__in": users},
        WebhookDelivery: {"webhook__groups__user__in": users},
        ToolServerTool: {"server__profiles__chat_sessions__owner__in": users},
        Budget: {"user__in": users},
        BudgetPeriod: {"budget__user__in": users},
    }
    rows: models.QuerySet[Any] = model.objects.filter(**by.get(model, {"owner__in": users}))
    return rows.order_by("pk")


def change_what_is_hidden(users: list[User], shown: set[str]) -> None:
    """Give all columns of these users' rows that are not shown other values, in the opposite order.

    But for relations, and for stamps: the database keeps those, and raises a revision with each change of a message.
    """
    tokens = list(rows_of(ApiToken, users))
    for model in MODELS:
        if model is ApiToken:  # another password, which is hidden, has ended them
            for token in tokens:
                token.save()
        hidden = [f for f in model._meta.fields if _can_change(f) and f"{model.__name__}.{f.name}" not in shown]
        for row in reversed(rows_of(model, users)):
            model.objects.filter(pk=row.pk).update(**{f.name: _other(f, getattr(row, f.name)) for f in hidden})


def _can_change(field: Any) -> bool:
    tied = f"{field.model.__name__}.{field.name}" in TIED
    return not (field.primary_key or field.is_relation or tied)


def _other(field: Any, value: Any) -> Any:
    """Another value of the column."""
    if field.choices:
        return next(choice for choice, _ in field.choices if choice not in (value, "running"))
    number = next(_numbers)
    match field:
        case models.BooleanField():
            return not value if field.name != "is_default" else value
        case models.UUIDField():
            return uuid.uuid4()
        case models.DateTimeField():
            return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=number)
        case models.DateField():
            return date(2020, 1, 1) + timedelta(days=number)
        case models.DecimalField():
            return Decimal(number)
        case models.IntegerField():
            return number
        case models.CharField() | models.TextField():
            return _other_text(field, number)
        case models.JSONField():
            return ["calculator"] * number
    raise AssertionError(f"no other value for {field}")


def _other_text(field: Any, number: int) -> Any:
    if field.name == "parts":
        return [{"kind": "reasoning", "text": f"reasoning {number}"}]
    if field.name in ("last_request", "command"):  # a server has a command or an address
        return ""
    if field.name == "miss":
        return "evicted"
    return f"~{number}"[: field.max_length]


def opened(client: Client) -> dict[type, Any]:
    """The models whose lists open to a reader, with their admins; those are asked what decides, and no page.

    Of all others no page opens, whatever other rights there are (tests/admin/test_rights.py).
    """
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(pk=client.session[SESSION_KEY])
    return {
        model: model_admin
        for model, model_admin in admin.site._registry.items()
        if model_admin.has_view_or_change_permission(request)
    }


def addresses(client: Client, users: list[User]) -> list[str]:
    """The pages that open to a reader, and what they can add to the addresses of the lists."""
    found = ["/admin/", "/admin/sessions_app/", "/admin/auth/", reverse("admin:sessions_app_turn_ledger")]
    for model, model_admin in opened(client).items():
        plain = list_of(model)
        found += [plain, f"{plain}add/", *pages(rows_of(model, users)[0])]
        found += [plain + query for query in queries(model, model_admin, users[0])]
        found += autocompletions(model)
    return found


def pages(row: Any) -> list[str]:
    """The pages of a row."""
    found = [page_of(row, page) for page in ("change", "delete", "history")]
    if isinstance(row, User):
        found.append(reverse("admin:auth_user_password_change", args=[row.pk]))
        found.append(reverse("admin:auth_user_ways_in", args=[row.pk]))
    if isinstance(row, AgentProfile):
        found.append(page_of(row, "apply"))
    if isinstance(row, ToolServer):
        found.append(page_of(row, "tools"))
    if isinstance(row, Webhook):
        found.append(page_of(row, "act"))
    return found


def queries(model: Any, model_admin: Any, user: User) -> list[str]:
    """What can be added to the address of a model's list: orders, searches, filters, and what popups say.

    Which columns a list is ordered by, and which lookups and keys it takes, tests/admin/test_addresses.py asks.
    """
    sortable = () if model_admin.sortable_by == () else range(len(model_admin.list_display) + 1)
    # What is hidden is other text with a tilde then, and is found by it; an index of words has none.
    terms = ("~", "message", "title") if model_admin.search_fields else ("~",)
    filters = ("state=alive", "state=failed", "model=demo", f"owner={user.pk}") if model_admin.list_filter else ()
    return [
        # What is hidden changes in the opposite order: an order by it shows, whichever way.
        *(f"?o={column}" for column in sortable),
        *(f"?q={term}" for term in terms),
        *(f"?{narrowed}" for narrowed in filters),
        f"?_popup=1&_to_field={model._meta.pk.name}&_facets=True&all=1",
    ]


def autocompletions(model: Any) -> list[str]:
    """The addresses at which rows of the model are searched for, by a relation that leads to it, if there is one."""
    leading = [field for other in MODELS for field in other._meta.get_fields() if is_way_to(model, field)]
    asked = "/admin/autocomplete/?app_label={0.app_label}&model_name={0.model_name}&field_name={1}&term={2}"
    return [asked.format(field.model._meta, field.name, term) for field in leading[:1] for term in ("", "~")]


def is_way_to(model: Any, field: Any) -> bool:
    """Whether a field is a relation of its own model to this one."""
    return field.is_relation and not field.auto_created and field.related_model is model


def seen(client: Client, address: str) -> tuple[int, str, str]:
    """What a page answers, without what may always be another: a form's token, today's date in links, revisions."""
    response = client.get(address)
    body = re.sub(OTHER_EACH_TIME, "", response.content.decode())
    return response.status_code, response.headers.get("Location", ""), body
