"""What an address may ask of a list: what its page offers, and nothing about columns that nobody may read there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

import pytest
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import models
from django.http import HttpRequest
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
from tests.thorough import suite_asks, thorough

REGISTERED: list[type[models.Model]] = [
    *(ChatSession, Turn, AgentProfile, ApiToken, ToolServer, FeatureRule, AuditEntry, User, Group),
    *(RetentionPolicy, LegalHold, DeletionRequest, PurgeRun, Budget, IdentityProvider),
    *(Webhook, WebhookDelivery, Share),
]
READABLE = [model for model in REGISTERED if model is not IdentityProvider]
"""Those that a right shows; identity providers are for superusers."""
SOME = (Turn, User)
"""A list that counts as far as a horizon, and one that Django counts."""
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


@pytest.mark.parametrize("model", suite_asks(SOME, READABLE))
def test_no_lookup_but_the_declared_is_answered(enter: Enter, rows: None, model: type[models.Model]) -> None:
    staff, model_admin = enter(f"view_{model._meta.model_name}"), admin.site._registry[model]
    keys = {name + lookup for name, hops in columns(model) for lookup in LOOKUPS_BY_HOPS[hops]}
    assert len(keys) >= len(LOOKUPS) * len(model._meta.get_fields())
    reader = User.objects.get(pk=staff.session[SESSION_KEY])
    for key in keys - DECLARED[model]:
        # Django asks this of each key first; what it lets pass, which are all columns of the model itself, the list has
        # to refuse.
        if model_admin.lookup_allowed(key, "m", request_of(reader, model)):
            with pytest.raises(DisallowedModelAdminLookup):
                ask(reader, model, f"?{key}=m")
    for key in (min(keys - DECLARED[model], key=len), max(keys, key=len)):
        assert staff.get(list_of(model, f"?{key}=m")).status_code == 400


@pytest.mark.both_databases
@pytest.mark.parametrize("model", suite_asks(SOME, [model for model in READABLE if DECLARED[model]]))
def test_the_declared_lookups_are_answered(enter: Enter, rows: None, model: type[models.Model]) -> None:
    staff = enter(f"view_{model._meta.model_name}")
    for key in DECLARED[model]:
        assert staff.get(list_of(model, f"?{key}=1")).status_code in (200, 302), key


# What no integer, text or time of a database holds; the others reach none.
BOTH = pytest.mark.both_databases
TIMES = ("0001-01-01+00:00:00%2B14:00", "9999-12-31+23:59:59-14:00")
VALUES = (
    *(pytest.param(value, marks=BOTH) for value in ("9" * 30, "%00")),
    *(pytest.param(value, marks=(BOTH, pytest.mark.thorough)) for value in TIMES),
    *("x", thorough("-1"), thorough("1,2"), thorough("1e400")),
)


@pytest.mark.thorough
@pytest.mark.usefixtures("unnoted_templates")
@pytest.mark.parametrize("value", VALUES)
def test_a_value_that_cannot_be_is_no_fault(boss: Client, rows: None, value: str) -> None:
    reader = User.objects.get(pk=boss.session[SESSION_KEY])
    for model, keys in DECLARED.items():
        for key in (*keys, "q"):
            read(ask(reader, model, f"?{key}={value}"))
        assert admin.site._registry[model].get_object(request_of(reader, model), unquote_plus(value)) is None
    for model in SOME:
        for key in ("o", "p", "q", "all", "_popup"):
            assert boss.get(list_of(model, f"?{key}={value}")).status_code in (200, 302), key
        for page in ("change", "delete", "history"):
            assert boss.get(f"{list_of(model)}{value}/{page}/").status_code in (302, 403)
    for address in (f"/admin/auth/user/{value}/password/", f"/admin/r/3/{value}/", f"/admin/r/{value}/1/"):
        assert boss.get(address).status_code == 404


def request_of(reader: User, model: type[models.Model], query: str = "") -> HttpRequest:
    """A reader's request for a list."""
    request = RequestFactory().get(list_of(model, query))
    request.user = reader
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    return request


def ask(reader: User, model: type[models.Model], query: str) -> Any:
    """What the view of a list answers, which is not rendered: ten times as fast as the whole way of a request."""
    return admin.site._registry[model].changelist_view(request_of(reader, model, query))


def read(answer: Any) -> None:
    """Read from the database what the page would, if there is one."""
    if answer.status_code == 302:
        return
    shown = answer.context_data["cl"]
    for each in shown.filter_specs:
        assert list(each.choices(shown))
    list(shown.result_list)


@pytest.mark.parametrize("model", REGISTERED)
def test_a_list_is_ordered_by_sortable_columns_only(boss: Client, model: type[models.Model]) -> None:
    shown = ask(User.objects.get(), model, "").context_data["cl"]
    found = {name for name in shown.list_display if shown.get_ordering_field(name)}
    assert found <= set(shown.sortable_by or ())


@pytest.mark.parametrize("model", REGISTERED)
def test_a_popup_gives_no_column_but_the_key(boss: Client, model: type[models.Model]) -> None:
    request = RequestFactory().get("/")
    names = [field.name for field in model._meta.get_fields()]
    allowed = {name for name in names if admin.site._registry[model].to_field_allowed(request, name)}
    assert allowed == {model._meta.pk.name}
    assert boss.get(list_of(model, "?_to_field=title")).status_code == 400


def test_an_order_that_an_address_asks_for_in_vain_changes_nothing(boss: Client, alice: User) -> None:
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
