"""Applying a profile to sessions that began with it as it was: who may, what they are told, what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sessions_app.admin import applying
from sessions_app.llm.cache_ledger.requests import RequestRecord, frozen_digest, prompt_digest, tools_digest
from sessions_app.llm.cache_ledger.rolling_digest import Mark
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.models import AgentProfile, ChatSession
from sessions_app.session_store import instructions, memory
from sessions_app.session_store.chats import create, prefix_of, refreeze
from tests.admin.conftest import Enter, list_of, make_session, page_of, text_of

RIGHTS = ("view_chatsession", "change_chatsession", "view_agentprofile")


@pytest.fixture
def edited(alice: User) -> AgentProfile:
    """A profile whose three sessions began with another prompt."""
    profile = AgentProfile.objects.create(name="Terse", system_prompt="Be brief.")
    for title in ("one", "two", "three"):
        make_session(alice, title, profile=profile)
    profile.system_prompt = "Be very brief."
    profile.save()
    return profile


def titles_behind() -> set[str]:
    """The titles of the sessions that keep an older prefix."""
    sessions = applying.behind(ChatSession.objects.all(), AgentProfile.objects.all())
    return set(sessions.values_list("title", flat=True))


def chosen(*titles: str, **more: str) -> dict[str, Any]:
    """The list's form with these sessions ticked."""
    keys = ChatSession.objects.filter(title__in=titles).values_list("pk", flat=True)
    return {"action": "apply_profile", "_selected_action": [str(key) for key in keys], **more}


def page_to_apply(profile: AgentProfile) -> str:
    """The address where the profile is applied to all its sessions."""
    return page_of(profile, "apply")


def test_the_selected_sessions_begin_anew_and_no_others(boss: Client, alice: User, edited: AgentProfile) -> None:
    make_session(alice, "of another profile")
    boss.post(list_of(ChatSession), chosen("one", "two", "of another profile", post="yes"))
    assert titles_behind() == {"three"}
    applied = ChatSession.objects.get(title="one")
    prefix = prefix_of(edited, (), remembers=True)
    assert applied.frozen_prefix == prefix.to_json()
    assert applied.applied_prefix == frozen_digest(prompt_digest(prefix), tools_digest(prefix))
    assert ChatSession.objects.get(title="of another profile").applied_prefix == ""


@pytest.mark.both_databases
def test_all_sessions_of_a_profile_begin_anew(boss: Client, alice: User, edited: AgentProfile) -> None:
    other = AgentProfile.objects.create(name="Other", system_prompt="Be long.")
    make_session(alice, "of the other", profile=other)
    AgentProfile.objects.filter(pk=other.pk).update(system_prompt="Be longer.")
    assert "applied to 3 chat sessions." in boss.post(page_to_apply(edited), follow=True).content.decode()
    assert titles_behind() == {"of the other"}


@pytest.mark.both_databases
def test_nothing_is_applied_before_it_is_confirmed(boss: Client, edited: AgentProfile) -> None:
    asked = boss.post(list_of(ChatSession), chosen("one", "two")).content.decode()
    assert "Apply to 2 chat sessions" in asked
    assert "Apply to 3 chat sessions" in text_of(boss, page_to_apply(edited))
    assert titles_behind() == {"one", "two", "three"}


def test_the_form_of_the_confirmation_is_the_one_that_applies(boss: Client, edited: AgentProfile) -> None:
    response = boss.post(list_of(ChatSession), chosen("one", "two"))
    form: dict[str, Any] = {"post": "yes"}
    for name, value in response.context["hidden"]:
        form.setdefault(name, []).append(str(value))
    assert boss.post(list_of(ChatSession), form).status_code == 302
    assert titles_behind() == {"three"}


def test_the_confirmation_says_how_many_tokens_are_read_anew(boss: Client, edited: AgentProfile) -> None:
    last = RequestRecord("m", "p", "q", "t", "s", Mark(1, "a"), Mark(1, "a"), 0.0, kept=12345)
    ChatSession.objects.filter(title="one").update(last_request=last.to_json())
    ChatSession.objects.filter(title="two").update(last_request=json.dumps({"of": "another version"}))
    assert "12,345 tokens" in text_of(boss, page_to_apply(edited))


def test_sessions_that_are_not_behind_are_left_alone_with_a_word(boss: Client, edited: AgentProfile) -> None:
    boss.post(page_to_apply(edited))
    LogEntry.objects.all().delete()
    for seen in (
        boss.post(list_of(ChatSession), chosen("one"), follow=True),
        boss.get(page_to_apply(edited), follow=True),
        boss.post(page_to_apply(edited), follow=True),
    ):
        assert "None of the sessions has an older prefix" in seen.content.decode()
    assert not LogEntry.objects.exists()


def test_only_who_may_change_sessions_applies(enter: Enter, edited: AgentProfile) -> None:
    viewer, changer = enter("view_chatsession", "view_agentprofile"), enter(*RIGHTS)
    assert viewer.get(page_to_apply(edited)).status_code == 403
    assert viewer.post(page_to_apply(edited)).status_code == 403
    viewer.post(list_of(ChatSession), chosen("one", post="yes"))
    assert titles_behind() == {"one", "two", "three"}
    for page in (text_of(viewer, list_of(ChatSession)), text_of(viewer, page_of(edited))):
        assert "Apply the profile" not in page
    changer.post(list_of(ChatSession), chosen("one", post="yes"))
    assert titles_behind() == {"two", "three"}
    changer.post(page_to_apply(edited))
    assert titles_behind() == set()


def test_who_may_not_see_the_profile_does_not_apply_it_to_all(enter: Enter, edited: AgentProfile) -> None:
    blind = enter("view_chatsession", "change_chatsession")
    for profile in (page_to_apply(edited), reverse("admin:sessions_app_agentprofile_apply", args=[99])):
        assert blind.post(profile).status_code == 403
    assert titles_behind() == {"one", "two", "three"}


def test_whoever_is_not_staff_is_sent_to_the_login(client: Client, alice: User, edited: AgentProfile) -> None:
    client.force_login(alice)
    for address in (page_to_apply(edited), list_of(ChatSession)):
        assert "/login/" in client.post(address, chosen("one", post="yes")).headers["Location"]
    assert titles_behind() == {"one", "two", "three"}


@pytest.mark.both_databases
def test_a_profile_without_memory_takes_it_from_prompts(boss: Client, alice: User) -> None:
    memory.add(alice.pk, "Is called Ada.")
    instructions.write(alice.pk, 'Be kind, and "memories":[]')
    profile = AgentProfile.objects.create(name="Terse")
    create(alice.pk, "one", profile.pk)
    assert titles_behind() == set()
    AgentProfile.objects.filter(pk=profile.pk).update(memory=False)
    assert titles_behind() == {"one"}
    boss.post(page_to_apply(profile))
    assert titles_behind() == set()
    prefix = FrozenPrefix.from_json(ChatSession.objects.get(title="one").frozen_prefix)
    assert (prefix.memories, prefix.instructions) == ((), 'Be kind, and "memories":[]')
    assert "remember" not in [tool.name for tool in prefix.tools]


def test_a_switch_of_the_memory_leaves_sessions_as_they_are(boss: Client, alice: User) -> None:
    create(alice.pk, "made with memory")
    memory.switch(alice.pk, False)
    create(alice.pk, "made without")
    assert titles_behind() == set()
    memory.switch(alice.pk, True)
    assert titles_behind() == {"made without"}


@pytest.mark.parametrize("object_id", ["99", "x", "9" * 30])
def test_a_profile_that_is_not_there_is_not_found(boss: Client, object_id: str) -> None:
    assert boss.post(f"/admin/sessions_app/agentprofile/{object_id}/apply/").status_code == 404


def test_who_may_change_sessions_changes_nothing_else_of_them(enter: Enter, edited: AgentProfile) -> None:
    chat_session = ChatSession.objects.get(title="one")
    assert enter(*RIGHTS).post(page_of(chat_session), {"title": "Forged"}).status_code == 403


def test_each_session_is_noted_and_the_profile_too(boss: Client, edited: AgentProfile) -> None:
    boss.post(page_to_apply(edited))
    *of_sessions, of_profile = LogEntry.objects.order_by("pk")
    assert {entry.object_id for entry in of_sessions} == {str(row.pk) for row in edited.chat_sessions.all()}
    for entry in of_sessions:
        assert (entry.action_flag, entry.user.get_username()) == (CHANGE, "boss")
        assert entry.get_change_message() == "Applied the profile as it is now."
        assert entry.object_repr == f"{entry.object_id} of alice"
    assert (of_profile.object_id, of_profile.change_message) == (str(edited.pk), "Applied to 3 chat sessions.")


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_what_was_applied_before_a_fault_stays_applied(
    boss: Client, edited: AgentProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, _ = edited.chat_sessions.order_by("pk")

    def fail_at_second(chat_session: ChatSession) -> bool:
        if chat_session.pk == second.pk:
            raise RuntimeError("the connection was lost")
        return refreeze(chat_session)

    monkeypatch.setattr(applying, "refreeze", fail_at_second)
    with pytest.raises(RuntimeError):
        boss.post(page_to_apply(edited))
    assert titles_behind() == {"one", "two", "three"} - {first.title}
    assert LogEntry.objects.get().object_id == str(first.pk)


def test_a_session_that_has_gone_meanwhile_is_left_out(
    boss: Client, edited: AgentProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_less(chat_session: ChatSession) -> bool:
        ChatSession.objects.filter(title="three").exclude(pk=chat_session.pk).delete()
        return refreeze(chat_session)

    monkeypatch.setattr(applying, "refreeze", one_less)
    response = boss.post(page_to_apply(edited), follow=True)
    assert titles_behind() == set()
    assert "applied to" in response.content.decode()


def test_the_profiles_page_tells_how_many_are_behind(boss: Client, edited: AgentProfile) -> None:
    seen = text_of(boss, page_of(edited))
    assert "3 chat sessions begin with an older system prompt" in seen
    assert page_to_apply(edited) in seen
    boss.post(page_to_apply(edited))
    assert page_to_apply(edited) not in text_of(boss, page_of(edited))


def test_the_sessions_page_tells_whether_its_prefix_is_the_present_one(boss: Client, edited: AgentProfile) -> None:
    chat_session = ChatSession.objects.get(title="one")
    assert "An older one: its profile has changed since." in text_of(boss, page_of(chat_session))
    boss.post(page_to_apply(edited))
    assert "That of its profile as it is now." in text_of(boss, page_of(chat_session))


def test_a_tool_that_this_version_lacks_is_left_out(boss: Client, edited: AgentProfile) -> None:
    AgentProfile.objects.filter(pk=edited.pk).update(tools=["abacus", "calculator"])
    boss.post(page_to_apply(edited))
    prefix = FrozenPrefix.from_json(ChatSession.objects.get(title="one").frozen_prefix)
    assert [tool.name for tool in prefix.tools] == ["calculator"]
