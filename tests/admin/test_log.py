"""Admin's log keeps no word of a user who is gone: rows are called by numbers there, and not by what users wrote."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import CharField, DateField, Field, Model, TextField
from django.test import Client
from django.utils.timezone import now

from sessions_app.models import ApiToken
from tests.admin.conftest import list_of, page_of

WORD = "zebra-ox"
BY_OPERATORS = {
    *("AgentProfile", "ToolServer", "ToolServerTool", "Webhook", "WebhookDelivery"),
    *("IdentityProvider", "ProviderGroup", "GivenGroup"),
}
"""What operators name."""
BY_PROGRAMS = {"Approval", "StandingApproval", "WaitingCall", "AuditEntry", "AuditHead", "JournalEntry"}
"""What models, tool servers and this site name: tools, calls, actions."""
OF_DOORS = {"Attempt", "Wait", "NameShape"}
"""What keeps passwords from being guessed, and names from being mistaken. It is on no page, and goes with its user."""


def written(model: type[Model]) -> Model:
    """A row all of whose texts are a word of a user's."""
    moments = {field.attname: now() for field in model._meta.fields if isinstance(field, DateField)}
    texts = [field for field in model._meta.fields if isinstance(field, CharField | TextField) and _is_free(field)]
    return model(**moments, **{field.attname: WORD for field in texts})


def _is_free(field: Field[object, object]) -> bool:
    return not field.choices and not field.is_relation


@pytest.mark.parametrize(
    "model",
    [
        model
        for app in ("sessions_app", "accounts")
        for model in apps.get_app_config(app).get_models()
        if model.__name__ not in BY_OPERATORS | BY_PROGRAMS | OF_DOORS
    ],
)
def test_no_row_is_called_by_what_a_user_wrote(model: type[Model]) -> None:
    assert WORD not in str(written(model))


@pytest.mark.django_db
def test_a_token_revoked_in_the_admin_leaves_no_name(boss: Client, alice: User) -> None:
    token = ApiToken.objects.create(owner=alice, name=WORD, digest="0" * 64)
    assert WORD in boss.get(list_of(ApiToken)).content.decode()
    boss.post(page_of(token, "delete"), {"post": "yes"})
    assert LogEntry.objects.get().object_repr == f"token {token.pk}"


@pytest.mark.django_db
def test_a_user_deleted_in_the_admin_leaves_no_name(boss: Client, alice: User) -> None:
    boss.post(page_of(alice), {"username": WORD, "is_active": "on"})
    boss.post(page_of(alice, "delete"), {"post": "yes"})
    assert {entry.object_repr for entry in LogEntry.objects.all()} == {f"user {alice.pk}"}


@pytest.mark.django_db
def test_names_of_tokens_that_the_log_has_kept_are_forgotten(alice: User) -> None:
    migration = importlib.import_module("sessions_app.migrations.0045_tokens_in_the_log")
    entry = {"user": alice, "action_flag": DELETION, "object_id": "7", "object_repr": WORD}
    of_token = LogEntry.objects.create(content_type=ContentType.objects.get_for_model(ApiToken), **entry)
    of_user = LogEntry.objects.create(content_type=ContentType.objects.get_for_model(User), **entry)
    with connection.cursor() as cursor:
        cursor.execute(migration.FORGET)
    for row in (of_token, of_user):
        row.refresh_from_db()
    assert (of_token.object_repr, of_user.object_repr) == ("token 7", WORD)
