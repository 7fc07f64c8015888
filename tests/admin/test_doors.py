"""Who may do what in admin: the owner, an outsider, staff with few rights, an administrator."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions_app.models import AgentProfile, ApiToken, ChatSession, Turn
from tests.admin.conftest import Enter, list_of, make_session, make_turn, page_of, say, text_of

MODELS: list[Any] = [ChatSession, Turn, AgentProfile, ApiToken]


@pytest.mark.parametrize("model", MODELS)
def test_whoever_is_not_staff_is_sent_to_the_login(client: Client, alice: User, model: type) -> None:
    assert "/login/" in client.get(list_of(model)).headers["Location"]
    client.force_login(alice)
    assert "/login/" in client.get(list_of(model)).headers["Location"]


def test_an_owner_cannot_read_even_their_own_session_here(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "/login/" in client.get(page_of(make_session(alice))).headers["Location"]


@pytest.mark.parametrize("model", MODELS)
def test_staff_without_rights_are_refused(enter: Enter, model: type) -> None:
    assert enter().get(list_of(model)).status_code == 403


def test_staff_without_rights_are_refused_a_row_and_its_neighbours(enter: Enter, alice: User) -> None:
    staff, chat_session = enter(), make_session(alice)
    for row in (chat_session, make_turn(chat_session)):
        for page in ("change", "delete", "history"):
            assert staff.get(page_of(row, page)).status_code == 403


def test_the_right_to_view_is_not_the_right_to_delete(enter: Enter, alice: User) -> None:
    staff, chat_session = enter("view_chatsession"), make_session(alice)
    assert "alice" in text_of(staff, page_of(chat_session))
    assert staff.post(page_of(chat_session, "delete"), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": str(chat_session.pk), "post": "yes"}
    staff.post(list_of(ChatSession), chosen)
    assert ChatSession.objects.count() == 1


def test_who_may_view_sessions_but_not_messages_does_not_see_the_transcript(enter: Enter, alice: User) -> None:
    chat_session = make_session(alice)
    say(chat_session, 0, "a secret", turn=make_turn(chat_session, guard_reason="first turn here"))
    without = text_of(enter("view_chatsession"), page_of(chat_session))
    assert "a secret" not in without
    assert "first turn here" not in without
    turns_only = text_of(enter("view_chatsession", "view_turn"), page_of(chat_session))
    assert "a secret" not in turns_only
    assert "first turn here" in turns_only
    assert "a secret" in text_of(enter("view_chatsession", "view_message"), page_of(chat_session))


@pytest.mark.parametrize("model", [ChatSession, Turn])
def test_not_even_a_superuser_adds_or_changes_what_was_said(boss: Client, alice: User, model: type) -> None:
    chat_session = make_session(alice, "As it was")
    turn = make_turn(chat_session)
    assert boss.get(list_of(model) + "add/").status_code == 403
    for row in (chat_session, turn):
        assert boss.post(page_of(row), {"title": "Forged", "status": "failed"}).status_code == 403
    chat_session.refresh_from_db()
    assert chat_session.title == "As it was"


def test_a_turn_is_not_deleted_out_of_its_session(boss: Client, alice: User) -> None:
    turn = make_turn(make_session(alice))
    assert boss.post(page_of(turn, "delete"), {"post": "yes"}).status_code == 403


def test_messages_and_branches_have_no_door_of_their_own(boss: Client) -> None:
    for name in ("message", "branch", "messageclaim", "sessionstamp"):
        assert boss.get(f"/admin/sessions_app/{name}/").status_code == 404


def test_a_row_that_is_not_there_is_told_without_a_fault(boss: Client) -> None:
    for address in ("chatsession/00000000-0000-0000-0000-000000000000", "chatsession/nonsense", "turn/99", "turn/x"):
        assert boss.get(f"/admin/sessions_app/{address}/change/").status_code == 302


def test_what_was_said_stands_on_no_turns_page(boss: Client, alice: User) -> None:
    turn = make_turn(make_session(alice), text="a secret", checkpoint="half an answer")
    for page in (text_of(boss, page_of(turn)), text_of(boss, list_of(Turn))):
        assert "a secret" not in page
        assert "half an answer" not in page


def test_no_page_needs_a_style_or_script_of_its_own(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    say(chat_session, 0, "Hello", turn=make_turn(chat_session))
    ApiToken.issue(alice)
    profile = AgentProfile.objects.create(name="Terse")
    make_session(alice, profile=profile)
    AgentProfile.objects.filter(pk=profile.pk).update(system_prompt="Be brief.")
    make_turn(chat_session, prefix_digest="d")
    lists = [*(list_of(model) for model in MODELS), list_of(Turn) + "ledger/", page_of(profile, "apply")]
    pages = [page_of(row) for model in MODELS for row in model.objects.all()]
    for address in (*lists, *pages, page_of(chat_session, "delete"), page_of(chat_session.profile, "delete")):
        seen = text_of(boss, address)
        assert re.findall(r"""<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=|javascript:""", seen) == [], address


def test_the_site_bears_its_name(boss: Client) -> None:
    assert "Hermes Site administration" in text_of(boss, "/admin/")


def test_titles_are_for_those_who_may_read_messages(enter: Enter, alice: User) -> None:
    chat_session = make_session(alice, "a secret")
    turn = make_turn(chat_session)
    rights = ("view_chatsession", "delete_chatsession", "view_turn")
    for staff, shown in ((enter(*rights), False), (enter(*rights, "view_message"), True)):
        pages = [list_of(ChatSession), page_of(chat_session), page_of(chat_session, "delete"), list_of(Turn)]
        assert [("a secret" in text_of(staff, page)) for page in pages] == [shown] * 4
        assert "a secret" not in text_of(staff, page_of(turn)) + text_of(staff, page_of(chat_session, "history"))
        found = staff.get(list_of(ChatSession) + "?q=secret").context["cl"].result_list
        assert len(found) == shown


def test_system_prompts_are_for_those_who_may_see_profiles(enter: Enter, alice: User) -> None:
    profile = AgentProfile.objects.create(name="Terse", system_prompt="a secret prompt")
    chat_session = make_session(alice, profile=profile)
    hidden = text_of(enter("view_chatsession", "view_message"), page_of(chat_session))
    assert "a secret prompt" not in hidden
    assert hidden.count("(hidden)") == 2
    assert "a secret prompt" in text_of(enter("view_chatsession", "view_agentprofile"), page_of(chat_session))
