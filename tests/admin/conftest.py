"""People who enter admin, and conversations to look at."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.llm.tools.registry import site_tools
from sessions_app.models import AgentProfile, Branch, ChatSession, Message, Turn, TurnStatus

Enter = Callable[..., Client]


@pytest.fixture
def alice(db: None) -> User:
    """Owns conversations, and has no business in admin."""
    return User.objects.create_user("alice", password="alice")


@pytest.fixture
def boss(db: None) -> Client:
    """A superuser's browser."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def enter(db: None) -> Enter:
    """`enter("view_turn", ...)`: the browser of staff with just these rights."""

    def enter(*rights: str) -> Client:
        user = User.objects.create_user(f"staff {uuid.uuid4()}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        assert user.user_permissions.count() == len(rights)
        client = Client()
        client.force_login(user)
        return client

    return enter


def make_session(owner: User, title: str = "", **fields: Any) -> ChatSession:
    """A session of the default profile with one empty branch."""
    [made] = make_sessions(owner, [title], **fields)
    return made


@transaction.atomic
def make_sessions(owner: User, titles: Sequence[str], **fields: Any) -> list[ChatSession]:
    """Sessions with these titles, in two statements."""
    profile = fields.pop("profile", None) or AgentProfile.default()
    prefix = site_tools().freeze(profile.system_prompt, profile.tools).to_json()
    made = ChatSession.objects.bulk_create(
        ChatSession(
            owner=owner, profile=profile, title=title, frozen_prefix=prefix, active_branch_id=uuid.uuid4(), **fields
        )
        for title in titles
    )
    Branch.objects.bulk_create(Branch(pk=each.active_branch_id, chat_session=each) for each in made)
    return made


def make_turn(chat_session: ChatSession, **fields: Any) -> Turn:
    """A finished turn."""
    told: dict[str, Any] = {
        "status": TurnStatus.COMPLETE,
        "text": "words of the user",
        "message_id": uuid.uuid4(),
        "guard_agent": "reused",
        "guard_transcript": "kept",
        "guard_reason": "same stamp",
    }
    return Turn.objects.create(owner=chat_session.owner, chat_session=chat_session, **told | fields)


def run(chat_session: ChatSession, **fields: Any) -> Turn:
    """A turn that runs in some process."""
    told = {"status": "running", "claim": uuid.uuid4(), "heartbeat_at": timezone.now(), "process": "f00dcafe" * 4}
    return make_turn(chat_session, **told | {"started_at": timezone.now()} | fields)


def say(chat_session: ChatSession, position: int, text: str, **fields: Any) -> Message:
    """A message of the active branch; by turns the user's and the assistant's."""
    told = {"role": "assistant" if position % 2 else "user", "branch_id": chat_session.active_branch_id}
    return Message.objects.create(
        owner=chat_session.owner, chat_session=chat_session, position=position, text=text, **told | fields
    )


def converse(chat_session: ChatSession, messages: int) -> None:
    """Fill an empty session with so many messages, two a turn."""
    converse_in([chat_session], messages)


def converse_in(chat_sessions: Sequence[ChatSession], messages: int) -> None:
    """Fill each of some empty sessions with so many messages, two a turn, in two statements."""
    turns = [
        Turn(
            owner=chat_session.owner,
            chat_session=chat_session,
            message_id=uuid.uuid4(),
            status=TurnStatus.COMPLETE,
            input_tokens=100,
            cached_tokens=80,
            output_tokens=7,
        )
        for chat_session in chat_sessions
        for _ in range((messages + 1) // 2)
    ]
    Turn.objects.bulk_create(turns)
    Message.objects.bulk_create(
        Message(
            owner=chat_session.owner,
            chat_session=chat_session,
            branch_id=chat_session.active_branch_id,
            position=position,
            role="assistant" if position % 2 else "user",
            text=f"word{position}.",
            turn=turns[number * ((messages + 1) // 2) + position // 2],
        )
        for number, chat_session in enumerate(chat_sessions)
        for position in range(messages)
    )


def page_of(row: Any, page: str = "change") -> str:
    """The address of a row's page in admin."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def list_of(model: Any, query: str = "") -> str:
    """The address of a model's list in admin."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") + query


def text_of(client: Client, address: str) -> str:
    """The page at the address, which must be there."""
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()
