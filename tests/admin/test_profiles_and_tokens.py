"""What can be edited: agent profiles, and the one right of a token."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sessions_app.admin.profile_form import AgentProfileForm
from sessions_app.models import AgentProfile, ApiToken, ChatSession, JournalEntry
from sessions_app.session_store import removal
from tests.admin.conftest import Enter, list_of, make_session, page_of, run, text_of

# What its pages ask of the database, other tests of admin ask of PostgreSQL as well.

# What its pages ask of the database, other tests of admin ask of PostgreSQL as well.


def filled(**changes: Any) -> dict[str, Any]:
    """A profile's form as a browser sends it; a box that is not ticked is not sent."""
    form = {"name": "Terse", "model": "demo", "system_prompt": "Be brief.", "tools": ["calculator"]} | changes
    return {name: value for name, value in form.items() if value is not None}


@pytest.fixture
def default(db: None) -> AgentProfile:
    return AgentProfile.default()


def test_a_profile_is_made_and_edited(boss: Client, default: AgentProfile) -> None:
    assert boss.post(list_of(AgentProfile) + "add/", filled()).status_code == 302
    profile = AgentProfile.objects.get(name="Terse")
    assert (profile.model, profile.system_prompt, profile.tools) == ("demo", "Be brief.", ["calculator"])
    boss.post(page_of(profile), filled(tools=None, model="openai-chat:local"))
    profile.refresh_from_db()
    assert (profile.model, profile.tools) == ("openai-chat:local", [])


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenAI's client wants a key before it says that a model can be built."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tools": ["calculator", "rm_rf"]}, "tools"),
        ({"model": "gpt-5"}, "model"),
        ({"model": "nobody:gpt-5"}, "model"),
        ({"model": "anthropic:claude-sonnet-4-5"}, "model"),
        ({"name": ""}, "name"),
        ({"name": "Default"}, "name"),
    ],
)
def test_a_profile_that_could_not_answer_is_refused(
    default: AgentProfile, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], field: str
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    assert list(AgentProfileForm(filled(**changes)).errors) == [field]


def test_a_new_default_takes_the_flag_from_the_old_one(boss: Client, default: AgentProfile) -> None:
    boss.post(list_of(AgentProfile) + "add/", filled(is_default="on"))
    assert AgentProfile.objects.get(is_default=True).name == "Terse"
    assert AgentProfile.objects.count() == 2


def test_there_is_always_a_default(boss: Client, default: AgentProfile) -> None:
    response = boss.post(page_of(default), filled(name="Default"))
    assert "Make another profile the default instead." in response.content.decode()
    default.refresh_from_db()
    assert default.is_default
    AgentProfile.objects.all().delete()
    assert list(AgentProfileForm(filled()).errors) == ["is_default"]


def test_the_page_says_what_applies_to_whom(boss: Client, default: AgentProfile) -> None:
    seen = text_of(boss, page_of(default))
    assert "A change here applies to new sessions only." in seen
    assert "until its user or an administrator applies the profile as it is now" in seen
    assert "Sessions follow their profile&#x27;s model" in seen or "Sessions follow their profile's model" in seen
    assert seen.count('name="tools"') == 3


def test_a_profile_that_sessions_follow_is_removed(boss: Client, alice: User, default: AgentProfile) -> None:
    profile = AgentProfile.objects.create(name="Terse")
    sessions = [make_session(alice, profile=profile) for _ in range(2)]
    kept = make_session(alice)
    assert "2 chat sessions follow this profile." in text_of(boss, page_of(profile, "delete"))
    boss.post(page_of(profile, "delete"), {"post": "yes"})
    assert AgentProfile.objects.get() == default
    assert {row.pk: row.profile for row in ChatSession.objects.all()} == {
        **{row.pk: None for row in sessions},
        kept.pk: default,
    }
    facts = JournalEntry.objects.filter(owner_id=alice.pk).values_list("name", "session_id")
    assert set(facts) == {("session.updated", row.pk) for row in sessions}


def test_a_profile_that_one_session_follows_says_so(boss: Client, alice: User, default: AgentProfile) -> None:
    profile = AgentProfile.objects.create(name="Terse")
    assert "this profile." not in text_of(boss, page_of(profile, "delete"))
    make_session(alice, profile=profile)
    assert "1 chat session follows this profile." in text_of(boss, page_of(profile, "delete"))


def test_the_default_profile_is_not_removed(boss: Client, default: AgentProfile) -> None:
    assert "New sessions are made of it." in text_of(boss, page_of(default, "delete"))
    boss.post(page_of(default, "delete"), {"post": "yes"})
    assert AgentProfile.objects.get() == default


def test_sessions_of_a_removed_profile_are_listed_and_shown(boss: Client, alice: User, default: AgentProfile) -> None:
    row = make_session(alice, "Old talk", profile=AgentProfile.objects.create(name="Terse"))
    turn = run(row, prefix_digest="d", input_tokens=7, cost=Decimal("0.25"))
    removal.remove(AgentProfile.objects.get(name="Terse"))
    assert "- (removed)" in text_of(boss, list_of(ChatSession, "?profile__isnull=True"))
    assert "That of a profile that was removed." in text_of(boss, page_of(row))
    assert page_of(turn) in text_of(boss, "/admin/")
    selected = {"action": "apply_profile", ACTION_CHECKBOX_NAME: row.pk}
    applied = boss.post(list_of(ChatSession), selected, follow=True).content.decode()
    assert "None of the sessions has an older prefix" in applied
    ledger = text_of(boss, reverse("admin:sessions_app_turn_ledger"))
    assert "Profiles that were removed" in ledger
    assert "$0.2500" in ledger


def test_viewing_a_profile_is_not_editing_it(enter: Enter, default: AgentProfile) -> None:
    staff = enter("view_agentprofile")
    text_of(staff, page_of(default))
    assert staff.post(page_of(default), filled()).status_code == 403


def test_of_a_token_only_the_right_to_metrics_is_edited(boss: Client, alice: User) -> None:
    token, _ = ApiToken.issue(alice, "laptop")
    assert boss.get(list_of(ApiToken) + "add/").status_code == 403
    boss.post(page_of(token), {"can_read_metrics": "on", "name": "forged", "digest": "0" * 64, "owner": "1"})
    changed = ApiToken.objects.get()
    assert changed.can_read_metrics
    assert (changed.name, changed.digest, changed.owner) == ("laptop", token.digest, alice)


def test_a_deleted_token_opens_nothing(boss: Client, alice: User) -> None:
    token, secret = ApiToken.issue(alice)
    boss.post(page_of(token, "delete"), {"post": "yes"})
    assert ApiToken.find(secret) is None


def test_tokens_are_found_by_name_and_user(boss: Client, alice: User) -> None:
    ApiToken.issue(alice, "laptop")
    ApiToken.issue(User.objects.create_user("bob"), "phone")
    for term, name in (("alice", "laptop"), ("phone", "phone")):
        (row,) = boss.get(list_of(ApiToken, f"?q={term}")).context["cl"].result_list
        assert row.name == name
