"""The user has all their chats, or their account, deleted: who may ask, for how long it waits, and what is left."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import ProtectedError
from django.test import Client
from django.utils.timezone import now

from sessions_app.accounts.models import Login
from sessions_app.errors import Conflict
from sessions_app.models import (
    ApiToken,
    ChatSession,
    DeletionKind,
    DeletionRequest,
    Job,
    JobKind,
    JournalHead,
    LegalHold,
    Memory,
    MessageClaim,
    PurgeRun,
    UserInstructions,
)
from sessions_app.purging import purge, requests
from tests.admin.conftest import converse, make_session
from tests.purging.conftest import policy, purge_now, purged

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery staple"
OVERVIEW, ACCOUNT, CHATS = "/accounts/delete/", "/accounts/delete/account/", "/accounts/delete/chats/"


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("Alice", password=PASSWORD)


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def text(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


def ask(client: Client, address: str = ACCOUNT, **form: str) -> str:
    told = {"password": PASSWORD} | ({"name": "Alice"} if address == ACCOUNT else {}) | form
    return " ".join(client.post(address, told, follow=True).content.decode().split())


def fill(owner: User, *titles: str) -> None:
    for title in titles:
        converse(make_session(owner, title), 4)


def all_due() -> None:
    DeletionRequest.objects.update(due_at=now() - timedelta(hours=1))


@pytest.mark.one_database
def test_who_asks_is_told_what_goes_and_must_say_who_they_are(browser: Client, alice: User) -> None:
    fill(alice, "one", "two")
    Memory.objects.create(owner=alice, text="likes tea")
    ApiToken.issue(alice, "laptop")
    told = text(browser, ACCOUNT)
    assert "with your name and all that is in it: 2 chats with 8 messages, 1 memory and 1 API token." in told
    assert "The password is wrong" in ask(browser, password="wrong")
    assert "This is not your username" in ask(browser, name="alice")
    assert "This field is required" in ask(browser, password="")
    assert not DeletionRequest.objects.exists()
    assert "Your account will be deleted. Until then you can change your mind." in ask(browser)
    day = (now() + timedelta(days=14)).strftime("%Y-%m-%d")
    assert f"It will be deleted in the night after {day}" in text(browser, OVERVIEW)
    assert browser.get(ACCOUNT)["Location"] == OVERVIEW
    for address in ("/", "/accounts/tokens/"):
        assert f"Your account will be deleted in the night after <time>{day}</time>" in text(browser, address)
    due = DeletionRequest.objects.get().due_at
    ask(browser)
    assert DeletionRequest.objects.get().due_at == due
    assert purge_now().accounts == 0


@pytest.mark.one_database
def test_until_it_is_time_it_is_taken_back_with_a_click(browser: Client, alice: User) -> None:
    fill(alice, "one")
    ask(browser)
    ask(browser, CHATS)
    assert "Your account will not be deleted." in ask(browser, f"{ACCOUNT}keep/")
    assert "Your chats will not be deleted." in ask(browser, f"{CHATS}keep/")
    assert "There was nothing to take back." in ask(browser, f"{CHATS}keep/")
    assert "will be deleted" not in text(browser, "/")
    all_due()
    assert purge_now().chats == 0


def test_after_it_nothing_of_the_account_is_left_and_others_have_theirs(browser: Client, alice: User) -> None:
    bob = User.objects.create_user("bob")
    fill(alice, "one", "two", "three")
    fill(bob, "bobs")
    Memory.objects.create(owner=alice, text="likes tea")
    UserInstructions.objects.create(owner=alice, text="be brief")
    ApiToken.issue(alice, "laptop")
    MessageClaim.objects.bulk_create(
        MessageClaim(owner=alice, message_id=each.pk, chat_session_id=each.pk, digest="d", run_id=each.pk)
        for each in ChatSession.objects.filter(owner=alice)
    )
    Job.objects.create(owner=alice, kind=JobKind.EXPORT, state="done")
    users = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=bob, content_type=users, object_id=str(alice.pk), object_repr="Alice", action_flag=CHANGE
    )
    ask(browser)
    all_due()
    done = purge_now()
    assert (done.accounts, done.chats, done.messages) == (1, 3, 12)
    assert set(User.objects.values_list("username", flat=True)) == {"bob"}
    assert set(ChatSession.objects.values_list("title", flat=True)) == {"bobs"}
    assert {row.object_repr for row in LogEntry.objects.all()} == {f"user {alice.pk}"}
    assert not Job.objects.exists()
    assert not Login.objects.exists()
    assert set(JournalHead.objects.values_list("owner_id", flat=True)) <= {bob.pk}
    tables = [table for table in connection.introspection.table_names() if "owner_id" in columns(table)]
    with connection.cursor() as cursor:
        counts = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE owner_id = %s", [alice.pk])
            counts[table] = cursor.fetchone()[0]
    assert {table for table, count in counts.items() if count} <= {"hermes_search_change"}
    assert browser.get("/").status_code == 302


def columns(table: str) -> set[str]:
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


@pytest.mark.one_database
def test_a_process_killed_at_any_step_has_its_work_gone_on_with(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(alice, "one", "two")
    write = purge.Purge._write
    steps, dies_at = 0, 0

    async def dying(self: Any, work: Any, *args: Any) -> Any:
        nonlocal steps
        if (steps := steps + 1) > dies_at:
            raise asyncio.CancelledError
        return await write(self, work, *args)

    monkeypatch.setattr(purge.Purge, "_write", dying)
    requests.ask(alice.pk, DeletionKind.ACCOUNT)
    all_due()
    while not PurgeRun.objects.exclude(ended_at=None).exists():
        steps, dies_at = 0, dies_at + 1
        try:
            asyncio.run(purged())
        except asyncio.CancelledError:
            # Half an account: nobody acts for it, and it is not taken back.
            assert not requests.take_back(alice.pk, DeletionKind.ACCOUNT)
            assert User.objects.filter(is_active=False).exists() or not User.objects.exists()
    assert not User.objects.exists()
    assert [sum(values) for values in zip(*PurgeRun.objects.values_list("accounts", "chats"), strict=True)] == [1, 2]
    assert dies_at > 3


def test_the_last_administrator_stays_and_of_two_one_does(alice: User, browser: Client) -> None:
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    assert "You are the only administrator" in text(browser, OVERVIEW)
    assert "You are the only administrator" in ask(browser)
    assert not DeletionRequest.objects.exists()
    other = User.objects.create_superuser("other")
    assert "will be deleted" in ask(browser)
    with pytest.raises(Conflict):
        requests.ask(other.pk, DeletionKind.ACCOUNT)
    # The other one ends in another way: the request waits.
    other.delete()
    all_due()
    assert purge_now().accounts == 0
    assert User.objects.get().is_active
    User.objects.create_superuser("third")
    assert purge_now().accounts == 1


@pytest.mark.one_database
def test_a_legal_hold_keeps_all_and_the_user_is_told(browser: Client, alice: User) -> None:
    fill(alice, "evidence")
    ask(browser)
    ask(browser, CHATS)
    all_due()
    LegalHold.objects.create(owner=alice, reason="case 1")
    assert (purge_now().chats, ChatSession.objects.count()) == (0, 1)
    assert "under a legal hold" in text(browser, OVERVIEW)
    assert "under a legal hold" in ask(browser)
    with pytest.raises(ProtectedError):
        alice.delete()
    LegalHold.objects.all().delete()
    assert purge_now().accounts == 1


@pytest.mark.one_database
def test_who_has_no_password_logs_in_again(browser: Client, alice: User) -> None:
    alice.set_unusable_password()
    alice.save(update_fields=["password"])
    browser.force_login(alice)
    Login.objects.update(created_at=now() - timedelta(minutes=16))
    assert "log in again first" in text(browser, ACCOUNT)
    ask(browser)
    assert not DeletionRequest.objects.exists()
    browser.logout()
    browser.force_login(alice)
    assert "will be deleted" in ask(browser)


@pytest.mark.one_database
def test_the_overview_makes_an_export_and_tells_how_long_chats_are_kept(browser: Client, alice: User) -> None:
    policy(90, 30)
    told = text(browser, OVERVIEW)
    assert (
        "Chats without a message for 90 days are deleted by themselves, archived ones after 30. Pinned ones stay."
        in told
    )
    assert "Your export is being made" in ask(browser, "/accounts/delete/export/")
    assert Job.objects.get().owner_id == alice.pk
    Job.objects.update(state="done")
    assert f"/api/jobs/{Job.objects.get().pk}/result" in text(browser, OVERVIEW)
