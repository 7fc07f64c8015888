"""Purges, and what they are about: chats of some age, of users with policies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from django.contrib.auth.models import Group, User
from django.utils.timezone import now

from sessions_app import database, journal
from sessions_app.models import ChatSession, PurgeRun, RetentionPolicy
from sessions_app.purging import purge, runs
from tests.admin.conftest import converse, make_session
from tests.turns.fixtures import host, model, new_host, session, user

__all__ = ["host", "model", "new_host", "session", "user"]

SILENCE = 14.0


async def write(work: Callable[..., Any], *args: Any) -> Any:
    return (await database.write(journal.recorded, work, *args)).result


@pytest_asyncio.fixture(autouse=True)
async def unpaced(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """No purge pauses for others."""
    monkeypatch.setattr(purge, "_LONGEST_PAUSE_SECONDS", 0)
    yield


async def purged(*, force: bool = False) -> PurgeRun:
    """The row of a purge that has just been made."""
    run = await database.write(runs.begin_now)
    return await purge.Purge(write, run, SILENCE).carry_out(force=force)


def purge_now(*, force: bool = False) -> PurgeRun:
    """The same, from a test without a loop."""
    return asyncio.run(purged(force=force))


def old_chat(owner: User, title: str, days: float, messages: int = 2, **fields: Any) -> ChatSession:
    """A chat without activity for so many days."""
    made = make_session(owner, title, **fields)
    converse(made, messages)
    age(made, days)
    return made


def age(chat: ChatSession, days: float) -> None:
    moment = now() - timedelta(days=days)
    ChatSession.objects.filter(pk=chat.pk).update(created_at=moment, updated_at=moment)


def policy(days: int | None, archived_days: int | None = None, *members: User) -> RetentionPolicy:
    """The policy of a new group of these users; of the site where there are none."""
    group = None
    if members:
        group = Group.objects.create(name=f"group {Group.objects.count()}")
        group.user_set.set(members)
    return RetentionPolicy.objects.create(group=group, days=days, archived_days=archived_days)


def titles() -> set[str]:
    """The chats that are there."""
    return set(ChatSession.objects.values_list("title", flat=True))
