"""Retention in admin: what a policy would do is told, holds hold here too, and purges can be looked at."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client

from sessions_app.models import ChatSession, DeletionKind, DeletionRequest, LegalHold, PurgeRun, RetentionPolicy
from sessions_app.purging import requests
from tests.admin.conftest import list_of, make_session, page_of, text_of
from tests.admin.test_deletion import chosen
from tests.purging.conftest import old_chat


def test_who_saves_a_policy_is_told_what_follows(boss: Client, alice: User) -> None:
    for number in range(12):
        old_chat(alice, f"{number}", 40, messages=0)
    add = f"{list_of(RetentionPolicy)}add/"
    for days, told in (
        ("0", "greater than or equal to 1"),
        ("", "Say after how many days chats are deleted"),
        ("50", "0 of 12 chats are due now. They go in the coming night"),
    ):
        seen = boss.post(add, {"days": days, "archived_days": "", "group": ""}, follow=True).content.decode()
        assert told in seen
    assert "The site has a policy already" in boss.post(add, {"days": "9"}, follow=True).content.decode()
    page = page_of(RetentionPolicy.objects.get())
    seen = boss.post(page, {"days": "30", "archived_days": "", "group": ""}, follow=True).content.decode()
    assert "12 of 12 chats are due now. That is too much for a night" in seen
    assert ChatSession.objects.count() == 12


def test_a_held_user_and_their_chats_are_not_deleted_until_the_hold_ends(boss: Client, alice: User) -> None:
    chat = make_session(alice)
    boss.post(f"{list_of(LegalHold)}add/", {"owner": alice.pk, "reason": "case 1"})
    hold = LegalHold.objects.get()
    for page in (page_of(alice, "delete"), page_of(chat, "delete")):
        assert "legal hold on alice" in text_of(boss, page)
        boss.post(page, {"post": "yes"})
    boss.post(list_of(ChatSession), chosen(chat, post="yes"))
    assert (User.objects.filter(pk=alice.pk).exists(), ChatSession.objects.count()) == (True, 1)
    boss.post(page_of(hold, "delete"), {"post": "yes"})
    boss.post(page_of(alice, "delete"), {"post": "yes"})
    assert not User.objects.filter(pk=alice.pk).exists()


def test_a_request_is_taken_back_here_until_it_has_begun(boss: Client, alice: User) -> None:
    requests.ask(alice.pk, DeletionKind.CHATS)
    requests.ask(alice.pk, DeletionKind.ACCOUNT)
    chats, account = DeletionRequest.objects.order_by("kind").reverse()
    DeletionRequest.objects.filter(pk=account.pk).update(begun_at=account.due_at)
    assert "alice" in text_of(boss, list_of(DeletionRequest))
    for request in (chats, account):
        boss.post(page_of(request, "delete"), {"post": "yes"})
    assert list(DeletionRequest.objects.all()) == [account]


def test_a_refused_purge_stands_on_the_first_page(boss: Client) -> None:
    run = PurgeRun.objects.create(claim="0" * 32, refusal="Too many by far.")
    assert "The last purge: Too many by far." in text_of(boss, "/admin/")
    assert "manage.py purge" in text_of(boss, list_of(PurgeRun))
    assert boss.post(page_of(run, "delete"), {"post": "yes"}).status_code == 403
