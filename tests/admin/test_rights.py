"""Which right shows and does what: staff with one right each walk through all of admin that opens to them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from sessions_app.models import (
    AgentProfile,
    ApiToken,
    Budget,
    ChatSession,
    LegalHold,
    RetentionPolicy,
    ToolServer,
    Turn,
    Webhook,
)
from tests.admin import worlds
from tests.admin.conftest import Enter, list_of
from tests.thorough import suite_asks

# Rights are decided before anything is asked of a database.
pytestmark = pytest.mark.usefixtures("unnoted_templates")

NAMES = (*worlds.SHOWN, "message")
SOME_NAMES = ("chatsession", "agentprofile", "toolserver", "message")
SOME_MODELS = (ChatSession, Turn, User, AgentProfile)
SOME_RIGHTS = ("change_user", "change_agentprofile", "change_webhook")
"""Of these the suite asks: conversations, what has secrets, and who has rights."""
VERBS = ("view", "change", "add", "delete")


def rights(*verbs: str) -> list[str]:
    """The rights to do these with any model. The audit can be viewed, and nothing else is a right."""
    return [f"{verb}_{name}" for verb in verbs for name in NAMES if name != "auditentry" or verb == "view"]


CHANGED: dict[str, set[type]] = {
    "change_agentprofile": {AgentProfile},
    "change_toolserver": {ToolServer},
    "change_budget": {Budget},
    "change_webhook": {Webhook},
    "change_user": {User, ApiToken},
    "change_retentionpolicy": {RetentionPolicy},
    "change_legalhold": {LegalHold},
}
"""What a right alone lets staff change; adding and deleting take the right to change or to view as well. Tokens
end with their user's password."""


Walk = dict[str, tuple[int, str, str]]


def walk(client: Client, users: list[User]) -> Walk:
    """Return what all pages answer, by their addresses."""
    return {address: worlds.seen(client, address) for address in worlds.addresses(client, users)}


def difference(client: Client, before: Walk) -> str | None:
    """Return the address of a page that now answers something else, or None."""
    return next((address for address, answer in before.items() if worlds.seen(client, address) != answer), None)


@pytest.mark.parametrize("name", suite_asks(SOME_NAMES, NAMES))
def test_a_right_tells_nothing_of_other_columns(enter: Enter, name: str) -> None:
    """The rights to view and to change together, so that each alone does not either.

    And the walk notices where a column that is shown has changed.
    """
    staff, users = enter(*[right for right in rights("view", "change") if right.endswith(f"_{name}")]), worlds.people()
    before = walk(staff, users)
    columns = worlds.SHOWN.get(name, set())
    worlds.change_what_is_hidden(users, columns)
    assert difference(staff, before) is None
    if columns:
        worlds.change_what_is_hidden(users, columns - {sorted(columns)[-1]})
        assert difference(staff, before)


@pytest.mark.thorough
def test_all_rights_but_one_tell_nothing_of_what_was_said(enter: Enter) -> None:
    all_but_one = [right for right in rights(*VERBS) if not right.endswith("_message")]
    staff, users = enter(*all_but_one), worlds.people()
    shown = set().union(*worlds.SHOWN.values(), {"ChatSession.frozen_prefix", "ChatSession.last_request"})
    # Whether a prompt that is shown is the present one tells whether it is to have the tool for memory.
    shown |= {"ChatSession.memory", "UserMemory.enabled"}
    # What else can be added to addresses changes no column: each right by itself was asked for it.
    before = {address: worlds.seen(staff, address) for address in worlds.addresses(staff, users) if is_plain(address)}
    worlds.change_what_is_hidden(users, shown)
    assert difference(staff, before) is None


def is_plain(address: str) -> bool:
    """Whether nothing is added to a page's address but a search."""
    return "?" not in address or "q=" in address


@pytest.mark.parametrize("model", suite_asks(SOME_MODELS, admin.site._registry))
def test_without_the_right_a_row_looks_like_none(enter: Enter, model: Any) -> None:
    """Whatever other rights there are; so with each of them alone, and with none. And the list opens to nobody else."""
    users, name = worlds.people(), model._meta.model_name
    staff = enter(*[right for right in rights(*VERBS) if right not in (f"view_{name}", f"change_{name}")])
    assert model not in worlds.opened(staff)
    row = worlds.rows_of(model, users)[0]
    missing = model(pk=uuid.uuid4() if model is ChatSession else 10**6)
    for there, nowhere in zip(worlds.pages(row), worlds.pages(missing), strict=True):
        for ask in (staff.get, staff.post):
            answers = [ask(address, {"post": "yes"}) for address in (there, nowhere)]
            assert [answer.status_code for answer in answers] == [403, 403], there
            assert answers[0].content == answers[1].content
    for address in (list_of(model), list_of(model, "add/")):
        assert [ask(address).status_code for ask in (staff.get, staff.post)] == [403, 403], address
    assert [staff.get(address).status_code for address in worlds.autocompletions(model)[:1]] in ([], [403], [404])


def test_the_way_from_a_row_to_its_page_on_the_site_tells_nothing(enter: Enter) -> None:
    """Whatever rights there are: no row has such a page."""
    users, staff = worlds.people(), enter(*rights(*VERBS))
    for model in worlds.MODELS:
        row = worlds.rows_of(model, users)[0]
        missing = uuid.uuid4() if isinstance(row.pk, uuid.UUID) else 10**6
        kind = ContentType.objects.get_for_model(model).pk
        answers = [staff.get(f"/admin/r/{kind}/{key}/") for key in (row.pk, missing)]
        assert [answer.status_code for answer in answers] == [404, 404], model
        assert answers[0].content == answers[1].content, model


def stored() -> dict[type, list[dict[str, Any]]]:
    """All rows that admin could change."""
    return {model: list(model.objects.order_by("pk").values()) for model in worlds.MODELS}


FORGED = {
    "post": "yes",
    "is_superuser": "on",
    "is_staff": "on",
    "can_read_metrics": "on",
    "is_default": "on",
    "user_permissions": "1",
    "permissions": "1",
    "usable_password": "true",
    "password1": "forged-1234",
    "password2": "forged-1234",
    "date_joined_0": "2026-01-01",
    "date_joined_1": "00:00",
    "model": "demo",
    "order": "1",
    "base_url": "",
    "url": "https://forged.example/mcp",
    "remove_headers": "on",
    "events": "turn.ended",
    "all_users": "",
    "context": "100000",
    "days": "77",
    "archived_days": "77",
    "tools": "calculator",
    "limit": "7",
    "warn_at": "7",
}


def forms(row: Any) -> dict[str, Any]:
    """What an adversary sends to any page: all the columns, and what could raise their rights."""
    group = {"groups": str(Group.objects.values_list("pk", flat=True)[0])}
    return {field.name: "forged" for field in row._meta.fields if not field.is_relation} | FORGED | group


@pytest.mark.parametrize("right", suite_asks(SOME_RIGHTS, CHANGED))
def test_a_right_changes_nothing_but_its_own_rows(enter: Enter, right: str) -> None:
    assert changed_with(enter(right)) == CHANGED[right]


@pytest.mark.parametrize("verb", suite_asks(("change",), ("view", "change")))
def test_other_rights_change_nothing(enter: Enter, verb: str) -> None:
    """Together, so that each alone does not either. Those to add and to delete open no page by themselves."""
    assert changed_with(enter(*[right for right in rights(verb) if right not in CHANGED])) == set()


def changed_with(staff: Client) -> set[type]:
    """The models of which an adversary with these rights changes a row, by all pages that open to them."""
    users = worlds.people()
    before = stored()
    for model in worlds.opened(staff):
        row: Any = worlds.rows_of(model, users)[0]
        for action in ("delete_selected", "apply_profile"):
            staff.post(
                list_of(model),
                {"action": action, "_selected_action": str(row.pk), "select_across": "1", "post": "yes"},
            )
        staff.post(list_of(model), {"_save": "yes", "form-TOTAL_FORMS": "1", "form-0-id": str(row.pk), **forms(row)})
        for address in (f"{list_of(model)}add/", *worlds.pages(row)):
            staff.post(address, forms(row) | {"_continue": "1", "_popup": "1"})
        staff.post(worlds.pages(row)[0], forms(row) | {"_saveasnew": "1"})
    assert {(user.is_staff, user.is_superuser) for user in User.objects.filter(pk__in=[u.pk for u in users])} == {
        (False, False)
    }
    after = stored()
    return {model for model in before if before[model] != after[model]}
