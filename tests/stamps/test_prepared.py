"""Statements made once (``database.prepared``) do what the ORM does with the same models, on both databases."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.db.models.functions import Now
from pytest_django import DjangoAssertNumQueries

from sessions_app.database.prepared import Selection, insert, update
from sessions_app.models import AgentProfile, ChatSession, Message, MessageClaim, MessageStatus, Turn, TurnStatus
from sessions_app.session_store import chats

pytestmark = pytest.mark.django_db

RELATIONS = ("stamp", "profile", "active_branch")


@pytest.fixture
def chat_session() -> ChatSession:
    owner = User.objects.create(username="grace")
    return ChatSession.objects.get(pk=chats.create(owner.pk, 'a "title"; %s').id)


def values(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def turn_of(chat_session: ChatSession, **columns: Any) -> Turn:
    return Turn(owner_id=chat_session.owner_id, chat_session=chat_session, message_id=uuid.uuid4(), **columns)


def test_a_row_is_stored_as_the_orm_stores_it(chat_session: ChatSession) -> None:
    ours, theirs = (
        turn_of(chat_session, text="50 % of it: \u2603", parts=[{"b": 1, "a": None}], cost=Decimal("0.000000001"))
        for _ in range(2)
    )
    insert(ours)
    theirs.save(force_insert=True)
    stored = values(Turn.objects.get(pk=ours.pk))
    assert stored == values(ours)
    own = ("id", "run_id", "message_id", "answer_id", "created_at")
    assert {name: value for name, value in stored.items() if name not in own} == {
        name: value for name, value in values(Turn.objects.get(pk=theirs.pk)).items() if name not in own
    }
    ours.save()  # it counts as stored
    assert Turn.objects.count() == 2


def test_a_row_knows_what_the_database_has_given_it(chat_session: ChatSession) -> None:
    message = Message(
        owner_id=chat_session.owner_id,
        chat_session=chat_session,
        branch_id=chat_session.active_branch_id,
        position=0,
        role="user",
    )
    claim = MessageClaim(
        owner_id=chat_session.owner_id, message_id=uuid.uuid4(), chat_session_id=chat_session.pk, run_id=uuid.uuid4()
    )
    for row in (message, claim):
        insert(row)
        assert values(row) == values(type(row)._default_manager.get(pk=row.pk))
    assert (message.status, message.finish) == (MessageStatus.COMPLETE, "")


def test_columns_are_written_where_the_condition_holds(chat_session: ChatSession) -> None:
    mine, other = turn_of(chat_session), turn_of(chat_session)
    insert(mine)
    insert(other)
    columns = {
        "claim": uuid.uuid4(),
        "heartbeat_at": Now(),
        "sampling": {"top_p": 0.5},
        "cost": None,
        "input_tokens": 7,
    }
    assert update(Turn, columns, "id = %s AND status = %s", [mine.pk, TurnStatus.QUEUED.value]) == 1
    assert update(Turn, columns, "id = %s AND status = %s", [other.pk, TurnStatus.RUNNING.value]) == 0
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.claim, mine.sampling, mine.input_tokens) == (columns["claim"], {"top_p": 0.5}, 7)
    assert mine.heartbeat_at is not None
    assert mine.heartbeat_at >= mine.created_at
    assert (other.claim, other.heartbeat_at, other.input_tokens) == (None, None, 0)


@pytest.mark.parametrize("has_profile", [True, False])
def test_a_row_is_read_with_those_it_names(
    chat_session: ChatSession, has_profile: bool, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    if not has_profile:
        ChatSession.objects.filter(pk=chat_session.pk).update(profile=None)
    rows = Selection(ChatSession, *RELATIONS)
    expected = ChatSession.objects.select_related(*RELATIONS).get(pk=chat_session.pk)
    with django_assert_num_queries(1):
        [found] = rows.where("sessions_app_chatsession.id = %s", [chat_session.pk])
        assert values(found) == values(expected)
        assert values(found.stamp) == values(expected.stamp)
        assert found.stamp.chat_session is found
        assert values(found.active_branch) == values(expected.active_branch)
        assert found.profile == expected.profile
        assert isinstance(found.profile, AgentProfile) is has_profile
    assert rows.where("sessions_app_chatsession.id = %s", [uuid.uuid4()]) == []
