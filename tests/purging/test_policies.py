"""Which chats the policies delete, and what keeps them from deleting too many."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.timezone import now

from sessions_app import database
from sessions_app.errors import Conflict
from sessions_app.models import (
    ChatSession,
    DeletionRequest,
    JournalEntry,
    LegalHold,
    Message,
    PurgeRun,
    RetentionPolicy,
    SessionStamp,
    Turn,
)
from tests.admin.conftest import make_session, page_of
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.purging.conftest import age, old_chat, policy, purge_now, purged, titles
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, said, stands_at, within

pytestmark = pytest.mark.django_db(transaction=True)


def people(*names: str) -> list[User]:
    return [User.objects.create_user(name) for name in names]


def printed(*options: str) -> str:
    out = StringIO()
    call_command("purge", *options, stdout=out, stderr=out)
    return out.getvalue()


def test_chats_go_by_age_pin_archive_hold_and_their_users_groups() -> None:
    alice, held, keeper, hasty, filer = people("alice", "held", "keeper", "hasty", "filer")
    policy(30, 60)
    policy(300, None, keeper, hasty)
    policy(10, 400, hasty)
    policy(None, 5, filer)
    LegalHold.objects.create(owner=held, reason="case 1")
    old_chat(alice, "gone: old", 31)
    old_chat(alice, "young", 29)
    old_chat(alice, "pinned", 500, pinned=True)
    old_chat(alice, "archived", 59, archived=True)
    old_chat(alice, "gone: archived for long", 61, archived=True)
    old_chat(alice, "temporary", 500, temporary=True)
    old_chat(alice, "brought here today", 500, imported_at=now())
    old_chat(alice, "gone: brought here long ago", 500, imported_at=now() - timedelta(days=31))
    old_chat(held, "held", 500)
    old_chat(keeper, "its group keeps it longer", 299)
    old_chat(keeper, "archived, as its group's others", 299, archived=True)
    old_chat(keeper, "gone: older than its group keeps", 301)
    old_chat(hasty, "gone: of two groups the shortest", 11)
    old_chat(hasty, "archived, the shortest of 300 and 400", 299, archived=True)
    old_chat(filer, "only archived ones go", 500)
    old_chat(filer, "gone: archived", 6, archived=True)
    before = titles()
    done = purge_now()
    assert titles() == {title for title in before if not title.startswith("gone")}
    assert (done.chats, done.messages, done.refusal) == (6, 12, "")
    assert done.ended_at
    assert {(model, model._default_manager.filter(owner=hasty).count()) for model in (Message, Turn, SessionStamp)} == {
        (Message, 2),
        (Turn, 1),
        (SessionStamp, 1),
    }
    assert JournalEntry.objects.filter(name="session.deleted").count() == 6
    assert purge_now().chats == 0


@pytest.mark.parametrize(("days", "archived_days"), [(0, None), (None, 0), (-1, None), (None, None)])
def test_a_policy_has_days_and_a_day_is_the_least(days: int | None, archived_days: int | None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        policy(days, archived_days)


def test_the_site_has_one_policy() -> None:
    policy(30)
    with pytest.raises(IntegrityError), transaction.atomic():
        policy(60)
    assert RetentionPolicy.objects.count() == 1


@pytest.mark.one_database
def test_more_than_a_quarter_takes_an_operators_word() -> None:
    [alice] = people("alice")
    for number in range(30):
        old_chat(alice, f"{number}", 100 if number < 11 else 1)
    policy(30)
    with pytest.raises(CommandError, match=r"would delete 11 of 30 chats, more than 25 percent.*purge --force"):
        printed()
    assert len(titles()) == 30
    row = PurgeRun.objects.get()
    assert (row.chats, row.refusal[:44]) == (0, "The policies would delete 11 of 30 chats, mo")
    assert "Would remove 11 chats" in printed("--dry-run")
    assert len(titles()) == 30
    assert "Removed 11 chats" in printed("--force")
    assert len(titles()) == 19


def test_a_clock_that_leapt_a_year_deletes_nothing_in_its_night() -> None:
    [alice] = people("alice")
    purge_now()
    PurgeRun.objects.update(started_at=now() - timedelta(days=366.5), ended_at=now() - timedelta(days=366.5))
    policy(30)
    old_chat(alice, "old by that clock", 366)
    done = purge_now()
    assert (done.chats, "the last purge was 366 days ago" in done.refusal) == (0, True)
    assert titles() == {"old by that clock"}
    # The day after, the clock was not set back.
    assert purge_now().chats == 1


def test_what_is_pinned_or_used_between_the_look_and_the_lock_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    from sessions_app.purging import erasing

    [alice] = people("alice")
    policy(30)
    chats = [old_chat(alice, name, 31) for name in ("used", "pinned", "gone")]
    erase = erasing.erase_due

    def late(run: Any, owner_id: int, session_id: Any) -> None:
        ChatSession.objects.filter(pk=chats[1].pk).update(pinned=True)
        age(chats[0], 0)
        erase(run, owner_id, session_id)

    monkeypatch.setattr(erasing, "erase_due", late)
    assert purge_now().chats == 1
    assert titles() == {"used", "pinned"}


async def test_a_chat_whose_turn_runs_is_passed_over_and_open_tabs_are_told(
    host: Host, session: NewSession, provider: Provider, new_host: NewHost
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    busy, idle = await session("busy"), await session("idle")
    asked = await host.ask(busy)
    await stands_at(gate)
    year = now() - timedelta(days=365)
    await database.write(lambda: (policy(30), ChatSession.objects.update(updated_at=year)))
    assert (await purged()).chats == 1
    # Another process has purged, without a word: the journal has it.
    await host.runner.delivery.poll()
    assert await host.listener.fact("session.deleted") == str(idle)
    gate.open()
    await host.listener.end_of(asked.run_id)
    assert await said(busy) == [("user", "hello", "complete"), ("assistant", "One two", "complete")]


async def test_two_purges_at_once_delete_each_chat_once() -> None:
    def fill() -> None:
        [alice] = people("alice")
        for number in range(8):
            old_chat(alice, f"{number}", 31)
        policy(30)

    await database.write(fill)
    done = await within(asyncio.gather(purged(), purged()))
    assert sum(row.chats for row in done) == 8
    assert sum(row.messages for row in done) == 16
    assert await database.read(ChatSession.objects.count) == 0


async def test_a_user_under_a_hold_deletes_no_chat(host: Host, session: NewSession) -> None:
    chat = await session("evidence")
    await host.turn(chat)
    await database.write(lambda: LegalHold.objects.create(owner_id=host.user_id, reason="case 1"))
    with pytest.raises(Conflict) as refused:
        await host.runner.service.delete_session(host.user_id, chat)
    assert refused.value.data == {"legal_hold": True}
    assert len(await said(chat)) == 2
    await database.write(LegalHold.objects.all().delete)
    await host.runner.service.delete_session(host.user_id, chat)
    assert await database.read(ChatSession.objects.count) == 0


def test_an_account_that_goes_leaves_its_name_nowhere_in_the_admins_log() -> None:
    [leaver] = people("zanquillibar")
    browser = Client()
    browser.force_login(User.objects.create_superuser("boss"))
    chat, budgets = make_session(leaver), "/admin/sessions_app/budget/"
    browser.get(page_of(chat))
    budget = {"user_name": "zanquillibar", "group": "", "per": "day", "unit": "tokens", "limit": "5", "warn_at": "80"}
    browser.post(f"{budgets}add/", budget)
    browser.post(page_of(leaver), {"username": "zanquillibar", "is_active": "on"})
    told = LogEntry.objects.filter(object_repr__contains="zanquillibar")
    assert set(told.values_list("content_type__model", flat=True)) == {"chatsession", "budget", "user"}
    DeletionRequest.objects.create(owner=leaver, kind="account", due_at=now())
    assert purge_now(force=True).accounts == 1
    assert not told.all().exists()
    assert LogEntry.objects.filter(object_repr=f"{chat.pk} of user {leaver.pk}").count() >= 1
