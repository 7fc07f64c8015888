"""What an address may ask of a list: what its page offers, and nothing about columns that nobody may read there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group, User
from django.db import models
from django.test import Client, RequestFactory

from sessions_app.accounts.models import IdentityProvider
from sessions_app.admin.closed import ClosedAdmin, ClosedList
from sessions_app.models import (
    AgentProfile,
    ApiToken,
    AuditEntry,
    Budget,
    ChatSession,
    DeletionRequest,
    FeatureRule,
    LegalHold,
    PurgeRun,
    RetentionPolicy,
    Share,
    ToolServer,
    Turn,
    Webhook,
    WebhookDelivery,
)
from tests.admin.conftest import Enter, list_of, make_session, make_turn, say

REGISTERED: list[type[models.Model]] = [
    *(ChatSession, Turn, AgentProfile, ApiToken, ToolServer, FeatureRule, AuditEntry, User, Group),
    *(RetentionPolicy, LegalHold, DeletionRequest, PurgeRun, Budget, IdentityProvider),
    *(Webhook, WebhookDelivery, Share),
]
READABLE = [model for model in REGISTERED if model is not IdentityProvider]
"""Those that a right shows; identity providers are for superusers."""
LOOKUPS = ("", "__exact", "__iexact", "__startswith", "__regex", "__contains", "__gt", "__lte", "__in", "__isnull")
LOOKUPS_OF_RELATED = ("", "__startswith", "__isnull")
LOOKUPS_BY_HOPS = (LOOKUPS, LOOKUPS_OF_RELATED, ("__startswith",))
TOKEN_FLAGS = ("can_read_metrics", "is_for_scim", "reads_only")
DECLARED = {
    ChatSession: {"owner", "profile__id__exact", "profile__isnull", "updated_at__gte", "updated_at__lt"}
    | {"archived__exact", "archived__isnull"},
    Turn: {"owner", "chat_session", "created_at__gte", "created_at__lt", "miss", "chat_session__profile"}
    | {"status__exact", "status__isnull", "guard_agent", "guard_transcript", "error_code"},
    AgentProfile: set(),
    Share: {"owner", "audience__exact", "audience__isnull"},
    ApiToken: {"owner"} | {f"{flag}__{lookup}" for flag in TOKEN_FLAGS for lookup in ("exact", "isnull")},
    User: {f"is_{flag}__{lookup}" for flag in ("staff", "superuser", "active") for lookup in ("exact", "isnull")}
    | {"groups__id__exact", "groups__isnull"},
    Group: set(),
    ToolServer: set(),
    IdentityProvider: set(),
    FeatureRule: set(),
    AuditEntry: {"action", "recorded_at__gte", "recorded_at__lt", "actor_id", "object", "address"},
    RetentionPolicy: set(),
    LegalHold: set(),
    DeletionRequest: set(),
    PurgeRun: set(),
    Budget: {f"{name}__{lookup}" for name in ("per", "unit") for lookup in ("exact", "isnull")},
    Webhook: set(),
    WebhookDelivery: {"webhook", "state"},
}


def columns(model: type[models.Model], hops: int = 0, via: Any = None) -> Iterator[tuple[str, int]]:
    """The names of all columns of a model and of those that it leads to, each with the number of its hops."""
    for field in model._meta.get_fields():
        yield field.name, hops
        if field.is_relation and field.remote_field is not via and hops + 1 < len(LOOKUPS_BY_HOPS):
            for name, distance in columns(field.related_model, hops + 1, field):  # type: ignore[arg-type]
                yield f"{field.name}__{name}", distance


@pytest.fixture
def rows(alice: User) -> None:
    chat_session = make_session(alice, "my disease")
    say(chat_session, 0, "my disease", turn=make_turn(chat_session, text="my disease", checkpoint="my diagnosis"))
    ApiToken.issue(alice, "laptop")
    alice.groups.add(Group.objects.create(name="readers"))


def test_every_admin_is_closed() -> None:
    for model, model_admin in admin.site._registry.items():
        assert isinstance(model_admin, ClosedAdmin), model
        assert issubclass(model_admin.get_changelist(None), ClosedList), model  # type: ignore[arg-type]
    assert set(admin.site._registry) == set(REGISTERED)


@pytest.mark.parametrize("model", READABLE)
def test_no_lookup_but_the_declared_is_answered(enter: Enter, rows: None, model: type[models.Model]) -> None:
    staff = enter(f"view_{model._meta.model_name}")
    keys = {name + lookup for name, hops in columns(model) for lookup in LOOKUPS_BY_HOPS[hops]}
    assert len(keys) >= len(LOOKUPS) * len(model._meta.get_fields())
    shut = [list_of(model, f"?{key}=m") for key in keys - DECLARED[model]]
    # The view alone is asked for all of them: ten times as fast as the whole way of a request.
    reader = User.objects.get(pk=staff.session[SESSION_KEY])
    for address in shut:
        request = RequestFactory().get(address)
        request.user = reader
        with pytest.raises(DisallowedModelAdminLookup):
            admin.site._registry[model].changelist_view(request)
    assert staff.get(shut[0]).status_code == 400


@pytest.mark.both_databases
@pytest.mark.parametrize("model", READABLE)
def test_the_declared_lookups_are_answered(enter: Enter, rows: None, model: type[models.Model]) -> None:
    staff = enter(f"view_{model._meta.model_name}")
    for key in DECLARED[model]:
        assert staff.get(list_of(model, f"?{key}=1")).status_code in (200, 302), key


# What no integer, text or time of a database holds; the others reach none.
BEYOND = ("9" * 30, "%00", "0001-01-01+00:00:00%2B14:00", "9999-12-31+23:59:59-14:00")
VALUES = (*(pytest.param(value, marks=pytest.mark.both_databases) for value in BEYOND), "-1", "x", "1,2", "1e400")


@pytest.mark.usefixtures("unnoted_templates")
@pytest.mark.parametrize("value", VALUES)
def test_a_value_that_cannot_be_is_no_fault(boss: Client, rows: None, value: str) -> None:
    for model, keys in DECLARED.items():
        for key in (*keys, "o", "p", "q", "all", "_popup"):
            assert boss.get(list_of(model, f"?{key}={value}")).status_code in (200, 302), key
        for page in ("change", "delete", "history"):
            assert boss.get(f"{list_of(model)}{value}/{page}/").status_code in (302, 403)
    for address in (f"/admin/auth/user/{value}/password/", f"/admin/r/3/{value}/", f"/admin/r/{value}/1/"):
        assert boss.get(address).status_code == 404


def test_a_list_is_ordered_by_sortable_columns_only(boss: Client, alice: User) -> None:
    for text in ("one", "two"):
        chat_session = make_session(alice, text)
        for position in range(2):
            say(chat_session, position, text)
    (messages,) = [n for n, name in enumerate(admin.site._registry[ChatSession].list_display) if name == "messages"]
    plain = boss.get(list_of(ChatSession)).context["cl"].result_list
    for order in (messages, messages + 1, f"-{messages + 1}"):
        assert boss.get(list_of(ChatSession, f"?o={order}")).context["cl"].result_list == plain


def test_a_name_beside_a_list_is_that_of_its_rows(enter: Enter, alice: User) -> None:
    bob = User.objects.create_user("bob of no turn")
    make_turn(make_session(alice))
    staff = enter("view_turn")
    assert "bob of no turn" not in staff.get(list_of(Turn, f"?owner={bob.pk}")).content.decode()
    assert "By user" in staff.get(list_of(Turn, f"?owner={alice.pk}")).content.decode()
