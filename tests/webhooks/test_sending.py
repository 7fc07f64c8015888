"""Events reach their receiver signed, at least once, and are tried again while it is away."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, Group
from django.db import connection
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from sessions_app import database, journal
from sessions_app.journal import Fact
from sessions_app.models import DeliveryState, FactName, JournalEntry, Webhook
from sessions_app.webhooks import rows
from sessions_app.webhooks.events import make_secret
from sessions_app.webhooks.running import Webhooks
from tests.journal.facts import a_fact, write
from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.turns.fixtures import NewSession
from tests.turns.host import PATIENCE, Host, idle
from tests.webhooks.receiver import Receiver, all_due, deliveries, delivery, later, made, receiving, told

pytestmark = pytest.mark.one_database

ENDED = FactName.TURN_ENDED.value


async def happen(user: AbstractUser, count: int = 1) -> None:
    """Write facts of a user; none of their rows is there."""
    await database.write(write, *(a_fact(user.pk) for _ in range(count)))


async def test_a_turn_is_told_and_the_official_library_believes_it(
    quiet_host: Host, session: NewSession, provider: Provider, receiver: Receiver
) -> None:
    chat = await session("A secret title")
    plain, secret = await made(receiver.url, ENDED, "message.created", name="ids alone")
    provider.script(Answer(["a secret answer"]))
    turn = await quiet_host.turn(chat, "a secret question")
    await idle(quiet_host)
    await told()
    assert receiver.types == ["message.created", "message.created", ENDED]
    for each in receiver.received:
        told_of = Verifier(secret).verify(each.body, each.headers)
        assert set(told_of["data"]) == {"user_id", "cursor", "session_id", "subject"}
        assert told_of["data"]["session_id"] == str(chat)
        assert "secret" not in each.body
        assert each.head.startswith("POST /hook?key=1 ")
        with pytest.raises(WebhookVerificationError):
            Verifier(make_secret()).verify(each.body, each.headers)
    [end] = [each.event for each in receiver.received if each.event["type"] == ENDED]
    assert end["data"]["subject"] == str(turn.run_id)
    assert {each.state for each in await deliveries()} == {DeliveryState.DELIVERED}

    # The text goes along only where somebody has switched that on; of what is gone it is null.
    receiver.received.clear()
    await database.write(Webhook.objects.filter(pk=plain.pk).update, with_text=True)
    await database.write(rows.ask_again, [each.pk for each in await deliveries()])
    await told()
    assert {each.answer for each in await deliveries()} == {""}
    values = [each.event["data"]["value"] for each in receiver.received]
    assert {"a secret question", "a secret answer"} <= {value.get("text") for value in values}
    await quiet_host.runner.service.delete_session(quiet_host.user_id, chat)
    receiver.received.clear()
    await database.write(rows.ask_again, [each.pk for each in await deliveries()])
    await told()
    assert [each.event["data"]["value"] for each in receiver.received if each.event["type"] == ENDED] == [None]


async def test_both_secrets_sign_while_one_takes_the_place_of_the_other(user: AbstractUser, receiver: Receiver) -> None:
    webhook, earlier = await made(receiver.url)
    webhook.take_secret(newer := make_secret())
    await database.write(webhook.save)
    await happen(user)
    await told()
    [each] = receiver.received
    for secret in (earlier, newer):
        Verifier(secret).verify(each.body, each.headers)
    webhook.sealed_earlier_secret = ""
    await database.write(webhook.save)
    await happen(user)
    await told()
    Verifier(newer).verify(receiver.received[1].body, receiver.received[1].headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(earlier).verify(receiver.received[1].body, receiver.received[1].headers)


async def test_only_chosen_facts_of_members_from_when_it_was_switched_on(
    user: AbstractUser, receiver: Receiver
) -> None:
    other = await database.write(get_user_model().objects.create_user, "other")
    await happen(user)
    webhook, _ = await made(receiver.url, "session.created", all_users=False)
    group = await database.write(Group.objects.create, name="sales")
    await database.write(webhook.groups.add, group)
    await database.write(user.groups.add, group)
    mine, others = (Fact(owner.pk, FactName.SESSION_CREATED, uuid4()) for owner in (user, other))
    await database.write(write, mine, others, a_fact(user.pk))
    await told()
    assert [each.event["data"]["session_id"] for each in receiver.received] == [str(mine.session_id)]
    # Without its group it is told of nobody, and not of all.
    await database.write(group.delete)
    await database.write(write, mine, others)
    await told()
    assert len(receiver.received) == 1


async def test_an_event_that_waited_brings_no_text_of_who_has_left_the_groups(
    user: AbstractUser, session: NewSession, receiver: Receiver
) -> None:
    webhook, _ = await made(receiver.url, "session.created", all_users=False, with_text=True)
    group = await database.write(Group.objects.create, name="sales")
    await database.write(webhook.groups.add, group)
    await database.write(user.groups.add, group)
    await session("A secret title")
    await told()
    await database.write(user.groups.remove, group)
    await database.write(rows.ask_again, [each.pk for each in await deliveries()])
    await told()
    before, after = (each.event["data"]["value"] for each in receiver.received)
    assert (before["title"], after) == ("A secret title", None)


@pytest.mark.both_databases
async def test_one_that_fails_is_tried_again_by_the_schedule_under_the_same_id(
    user: AbstractUser, receiver: Receiver
) -> None:
    await made(receiver.url)
    receiver.replies = ["500 Oops", "302 Found\r\nLocation: /elsewhere", "503 Later\nRetry-After: 7200", "200 OK"]
    await happen(user)
    for attempts, least, most in ((1, 5, 6), (2, 300, 331), (3, 7_200, 7_201)):
        await told()
        waiting = await delivery()
        assert (waiting.state, waiting.attempts) == (DeliveryState.WAITING, attempts)
        assert waiting.next_at is not None
        assert waiting.attempted_at is not None
        pause = waiting.next_at - waiting.attempted_at
        assert timedelta(seconds=least) <= pause <= timedelta(seconds=most + 30)
        await told()
        assert len(receiver.received) == attempts
        await later(1)
    await told()
    done = await delivery()
    assert (done.state, done.status, done.next_at) == (DeliveryState.DELIVERED, 200, None)
    assert done.answer.startswith("thanks")
    assert len(done.answer) <= 500
    assert len({each.id for each in receiver.received}) == 1
    assert len(receiver.received) == 4
    assert await database.read(Webhook.objects.filter(failing_since=None).count) == 1


async def test_after_the_last_attempt_and_after_days_it_is_given_up(user: AbstractUser, receiver: Receiver) -> None:
    webhook, _ = await made(receiver.url)
    receiver.replies = ["500 Oops"]
    await happen(user)
    for _ in range(len(rows.PAUSES) + 1):
        await told()
        await all_due()
    failed = await delivery()
    assert (failed.state, failed.attempts, len(receiver.received)) == (DeliveryState.FAILED, 10, 10)
    await later(5.1)
    await happen(user)
    await told()
    stopped = await database.read(Webhook.objects.get, pk=webhook.pk)
    assert (stopped.enabled, stopped.cursor) == (False, None)
    assert "5 days" in stopped.stopped
    # Off: nothing of what happens is sent, also not when it is on again; what an operator asks for is.
    await happen(user)
    receiver.replies, receiver.received = ["200 OK"], []
    await database.write(rows.ask_for_test, stopped)
    await told()
    assert receiver.types == ["webhook.test"]
    assert receiver.received[0].event["data"] == {}
    await database.write(switch_on, stopped)
    await told()
    assert (stopped.stopped, stopped.failing_since) == ("", None)
    await happen(user)
    await all_due()
    await told()
    sent = [each.event["data"]["cursor"] for each in receiver.received if each.event["data"]]
    assert sorted(sent) == [2, 4]


async def test_a_receiver_that_is_gone_is_left_alone_at_once(user: AbstractUser, receiver: Receiver) -> None:
    await made(receiver.url)
    receiver.replies = ["410 Gone"]
    await happen(user)
    await told()
    assert (await delivery()).state == DeliveryState.FAILED
    assert "410" in (await database.read(Webhook.objects.get)).stopped


def switch_on(webhook: Webhook) -> None:
    webhook.enabled = True
    webhook.switch()
    webhook.save()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://127.0.0.1:9/", "no public host"),
        ("http://localhost:9/", "no public host"),
        ("http://169.254.169.254/latest/", "no public host"),
        ("http://[::ffff:127.0.0.1]:9/", "no public host"),
        ("http://nowhere.invalid/", "leads nowhere"),
    ],
)
async def test_what_is_no_public_address_is_refused(user: AbstractUser, url: str, sentence: str) -> None:
    await made(url)
    await happen(user)
    await told()
    refused = await delivery()
    assert sentence in refused.error
    assert (refused.state, refused.status) == (DeliveryState.WAITING, None)


@pytest.mark.both_databases
async def test_what_a_dead_process_had_claimed_is_sent_by_another(user: AbstractUser, receiver: Receiver) -> None:
    await made(receiver.url)
    await happen(user)
    dying = Webhooks()
    receiver.hold.clear()
    await dying.poll()
    await receiver.until(1)
    await dying.stop()
    receiver.hold.set()
    await told()
    assert len(receiver.received) == 1  # it may still be on its way
    await later(rows.CLAIMED_FOR / timedelta(days=1))
    await told()
    assert [each.id for each in receiver.received] == [receiver.received[0].id] * 2
    assert (await delivery()).state == DeliveryState.DELIVERED


@pytest.mark.both_databases
async def test_of_several_processes_each_event_is_sent_by_one(user: AbstractUser, receiver: Receiver) -> None:
    await made(receiver.url)
    writing = asyncio.create_task(writers(user, 40))
    processes = [Webhooks() for _ in range(3)]
    while not writing.done():
        await asyncio.gather(*map(told, processes))
    await writing
    # Two rounds: on PostgreSQL the first may still wait for a transaction that has just ended.
    for _ in range(2):
        await asyncio.gather(*map(told, processes))
    cursors = [each.event["data"]["cursor"] for each in receiver.received]
    assert sorted(cursors) == list(range(1, 41))


@pytest.mark.both_databases
async def test_a_fact_that_is_committed_late_is_sent_too(user: AbstractUser, receiver: Receiver) -> None:
    """On PostgreSQL the journal has rows by then whose ids are higher. (On SQLite there is one writer.)"""
    other = await database.write(get_user_model().objects.create_user, "other")
    await made(receiver.url)
    inserted, go = threading.Event(), threading.Event()

    def write_slowly() -> None:
        write(a_fact(other.pk))
        inserted.set()
        go.wait(PATIENCE)

    slow = asyncio.create_task(database.of(1).write(write_slowly))
    await asyncio.to_thread(inserted.wait)
    fast = asyncio.create_task(database.of(2).write(write, a_fact(user.pk)))
    process = Webhooks()
    if connection.vendor == "postgresql":
        await fast
        for _ in range(2):
            await told(process)
    assert receiver.received == []
    go.set()
    await asyncio.gather(slow, fast)
    for _ in range(2):
        await told(process)
    assert {each.event["data"]["user_id"] for each in receiver.received} == {user.pk, other.pk}


async def writers(user: AbstractUser, count: int) -> None:
    await asyncio.gather(*(database.of(number).write(write, a_fact(user.pk)) for number in range(count)))


async def test_the_journal_keeps_what_was_not_looked_at(user: AbstractUser, receiver: Receiver, settings: Any) -> None:
    await made(receiver.url)
    await happen(user, 3)

    def age() -> None:
        JournalEntry.objects.update(created_at=JournalEntry.objects.earliest("pk").created_at - timedelta(days=30))

    await database.write(age)
    assert await database.write(journal.prune) == 0
    await told()
    assert len(receiver.received) == 3
    assert await database.write(journal.prune) == 3


async def test_the_log_is_bounded_and_so_is_what_waits(
    user: AbstractUser, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "KEPT", 2)
    monkeypatch.setattr(rows, "MOST_WAITING", 3)
    webhook, _ = await made(receiver.url)
    await happen(user, 4)
    await told()
    process = Webhooks()
    await process.clear()
    assert len(await deliveries()) == 2
    receiver.replies = ["500 Oops"]
    await happen(user, 4)
    await told()
    await process.clear()
    assert "waited" in (await database.read(Webhook.objects.get, pk=webhook.pk)).stopped
    await later(8)
    await process.clear()
    assert await deliveries() == []


async def test_a_slow_receiver_keeps_no_other_one_waiting(user: AbstractUser, receiver: Receiver) -> None:
    async with receiving() as slow:
        slow.hold.clear()
        await made(slow.url, name="slow")
        await made(receiver.url, name="fast")
        await happen(user)
        process = Webhooks()
        await process.poll()
        await slow.until(1)
        await receiver.until(1)
        slow.hold.set()
        await told(process)
