"""Deleting sessions and users: everything goes, nothing else does, and the confirmation stays short."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from sessions_app.admin.deletion import NAMES_SHOWN, names
from sessions_app.models import ApiToken, Branch, ChatSession, Message, SessionStamp, Turn, TurnStatus
from tests.admin.conftest import Enter, converse, list_of, make_session, make_turn, page_of, text_of


def chosen(*sessions: ChatSession, **more: str) -> dict[str, object]:
    """The list's form with these sessions ticked."""
    return {"action": "delete_selected", "_selected_action": [str(s.pk) for s in sessions], **more}


@pytest.mark.both_databases
def test_a_session_goes_with_all_its_rows_and_no_other(enter: Enter, alice: User) -> None:
    gone, stays = make_session(alice), make_session(alice)
    for chat_session in (gone, stays):
        converse(chat_session, 6)
    Branch.objects.create(chat_session=gone, parent=gone.active_branch, fork_position=3)
    enter("view_chatsession", "delete_chatsession").post(page_of(gone, "delete"), {"post": "yes"})
    assert ChatSession.objects.get() == stays
    for model, left in ((Message, 6), (Turn, 3), (Branch, 1), (SessionStamp, 1)):
        assert model.objects.count() == left


def test_a_session_whose_turn_runs_is_deleted_all_the_same(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    claim = "00000000-0000-0000-0000-000000000001"
    make_turn(chat_session, status=TurnStatus.RUNNING, claim=claim, heartbeat_at=timezone.now())
    boss.post(page_of(chat_session, "delete"), {"post": "yes"})
    assert not ChatSession.objects.exists()


def test_the_confirmation_counts_and_does_not_list(boss: Client, alice: User) -> None:
    chat_session = make_session(alice, "Doomed")
    converse(chat_session, 300)
    seen = text_of(boss, page_of(chat_session, "delete"))
    for told in ("Doomed", "Chat sessions: 1", "Branches: 1", "Messages: 300", "Turns: 150"):
        assert told in seen
    assert "user at 0" not in seen
    assert ChatSession.objects.count() == 1


def test_several_sessions_go_in_one_action(boss: Client, alice: User) -> None:
    one, two, stays = (make_session(alice, title) for title in ("one", "two", "stays"))
    converse(one, 4)
    asked = boss.post(list_of(ChatSession), chosen(one, two, index="0")).content.decode()
    assert "Messages: 4" in asked
    assert ChatSession.objects.count() == 3
    boss.post(list_of(ChatSession), chosen(one, two, post="yes"))
    assert ChatSession.objects.get() == stays


def test_many_names_are_cut_short() -> None:
    assert names(range(NAMES_SHOWN)) == [str(number) for number in range(NAMES_SHOWN)]
    assert names(range(NAMES_SHOWN + 1234))[-1] == "… and 1,234 more"


def test_nobody_is_offered_to_select_the_whole_table(boss: Client, alice: User) -> None:
    for _ in range(51):
        make_session(alice)
    seen = text_of(boss, list_of(ChatSession))
    assert "0 of 50 selected" in seen
    assert "Select all 51" not in seen


@pytest.mark.both_databases
def test_a_user_goes_with_all_their_sessions_and_no_others(boss: Client, alice: User) -> None:
    bob = User.objects.create_user("bob")
    converse(make_session(alice), 4)
    converse(make_session(alice), 4)
    ApiToken.issue(alice)
    converse(make_session(bob), 2)
    seen = text_of(boss, page_of(alice, "delete"))
    for told in ("Users: 1", "Chat sessions: 2", "Messages: 8", "Turns: 4", "API tokens: 1"):
        assert told in seen
    boss.post(page_of(alice, "delete"), {"post": "yes"})
    assert not User.objects.filter(pk=alice.pk).exists()
    assert ChatSession.objects.get().owner == bob
    assert Message.objects.count() == 2


def test_who_may_not_delete_sessions_deletes_no_user_who_has_some(enter: Enter, alice: User) -> None:
    make_session(alice)
    bob = User.objects.create_user("bob")
    few, enough = enter("view_user", "delete_user"), enter("view_user", "delete_user", "delete_chatsession")
    assert few.post(page_of(alice, "delete"), {"post": "yes"}).status_code == 403
    assert few.post(page_of(bob, "delete"), {"post": "yes"}).status_code == 302
    assert set(User.objects.filter(is_staff=False)) == {alice}
    assert enough.post(page_of(alice, "delete"), {"post": "yes"}).status_code == 302
    assert not User.objects.filter(is_staff=False).exists()


def test_several_users_go_in_one_action(boss: Client, alice: User) -> None:
    bob = User.objects.create_user("bob")
    for user in (alice, bob):
        converse(make_session(user), 2)
    form = {"action": "delete_selected", "_selected_action": [alice.pk, bob.pk], "post": "yes"}
    boss.post(list_of(User), form)
    assert not ChatSession.objects.exists()
    assert User.objects.get().username == "boss"
