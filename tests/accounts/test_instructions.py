"""A user's own instructions: read and put over HTTP, and what new sessions are made of."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from sessions_app.admin.applying import behind
from sessions_app.llm.content.prefix import INSTRUCTIONS, FrozenPrefix
from sessions_app.models import AgentProfile, ChatSession, SessionStamp, UserInstructions
from sessions_app.session_store import chats, forking, instructions
from sessions_app.session_store.instructions import LONGEST
from tests.stamps.talk import Talk

ADDRESS = "/accounts/instructions/"

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann")


@pytest.fixture
def browser(ann: User) -> Client:
    client = Client()
    client.force_login(ann)
    return client


def put(client: Client, body: Any, **headers: str) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.put(ADDRESS, text, content_type="application/json", headers=headers)


def new(user: User) -> ChatSession:
    with transaction.atomic():
        return ChatSession.objects.get(pk=chats.create(user.pk, "").id)


def prompt_of(session_id: UUID) -> str:
    return FrozenPrefix.from_json(ChatSession.objects.get(pk=session_id).frozen_prefix).prompt


def test_instructions_are_put_read_and_removed(browser: Client, ann: User) -> None:
    assert browser.get(ADDRESS).json() == {"text": ""}
    assert put(browser, {"text": " Be brief.\r\nIn Greek. "}).json() == {"text": "Be brief.\nIn Greek."}
    assert browser.get(ADDRESS).json() == {"text": "Be brief.\nIn Greek."}
    assert "no-store" in browser.get(ADDRESS)["Cache-Control"]
    assert put(browser, {"text": "é" * LONGEST}).status_code == 200
    assert put(browser, {"text": ""}).json() == {"text": ""}
    assert not UserInstructions.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": "a" * (LONGEST + 1)}, 413),
        ({"text": "a" * 3_000_000}, 413),
        ({"text": 1}, 400),
        ({"text": None}, 400),
        ({}, 400),
        ({"text": "a", "more": 1}, 400),
        ([], 400),
        ("", 400),
        ("{", 400),
        ("[" * 100_000, 400),
        (b"\xff\xfe", 400),
        ('{"text": "\\u0000"}', 400),
        ('{"text": "\\ud800"}', 400),
    ],
)
def test_what_is_no_text_is_refused_and_changes_nothing(browser: Client, ann: User, body: Any, status: int) -> None:
    instructions.write(ann.pk, "Be brief.")
    response = put(browser, body)
    assert (response.status_code, bool(response.json()["error"])) == (status, True)
    assert instructions.read(ann.pk) == "Be brief."


def test_without_a_login_there_are_none(ann: User) -> None:
    instructions.write(ann.pk, "Be brief.")
    for response in (Client().get(ADDRESS), put(Client(), {"text": "mine"})):
        assert (response.status_code, "Be brief." in response.content.decode()) == (401, False)
    assert instructions.read(ann.pk) == "Be brief."


def test_a_put_needs_the_token_of_its_site(ann: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    assert put(client, {"text": "mine"}).status_code == 403
    client.cookies["csrftoken"] = token = "a" * 32
    assert put(client, {"text": "mine"}, x_csrftoken=token).status_code == 200
    assert client.post(ADDRESS, headers={"x-csrftoken": token}).status_code == 405


def test_instructions_are_their_users_alone(browser: Client, ann: User) -> None:
    other = User.objects.create_user("other")
    put(browser, {"text": "Be brief."})
    client = Client()
    client.force_login(other)
    assert client.get(ADDRESS).json() == {"text": ""}
    assert "Be brief." not in prompt_of(new(other).pk)


def test_a_new_session_has_them_and_one_from_before_keeps_its_own(ann: User) -> None:
    before = new(ann)
    instructions.write(ann.pk, "Be brief.")
    after = new(ann)
    assert prompt_of(after.pk) == f"{prompt_of(before.pk)}\n\n{INSTRUCTIONS}\n\nBe brief."
    instructions.write(ann.pk, "Be long.")
    assert new(ann).frozen_prefix != after.frozen_prefix
    for chat_session in (before, after):
        stamp = SessionStamp.objects.get(chat_session=chat_session)
        assert (stamp.revision, stamp.told_revision) == (0, 0)
        assert ChatSession.objects.get(pk=chat_session.pk).frozen_prefix == chat_session.frozen_prefix
    instructions.write(ann.pk, "Be brief.")
    assert new(ann).frozen_prefix == after.frozen_prefix


def test_a_profile_without_a_prompt_has_them_alone(ann: User) -> None:
    AgentProfile.objects.update_or_create(is_default=True, defaults={"name": "Bare", "system_prompt": ""})
    assert prompt_of(new(ann).pk) == ""
    instructions.write(ann.pk, "Be brief.")
    assert prompt_of(new(ann).pk) == f"{INSTRUCTIONS}\n\nBe brief."


def test_a_fork_has_those_of_its_session(ann: User) -> None:
    instructions.write(ann.pk, "Be brief.")
    talk = Talk.of(ann.pk)
    talk.message(0, "hello").save()
    instructions.write(ann.pk, "Be long.")
    with transaction.atomic():
        made = forking.fork(ann.pk, talk.row.messages.get().public_id)
    assert prompt_of(made.id) == prompt_of(talk.session_id)
    assert "Be brief." in prompt_of(made.id)


def is_current(user: User, chat_session: ChatSession) -> bool:
    """Whether a session begins with its profile as it is now."""
    _, profile = chats.ledger(user.pk, chat_session.pk)
    assert profile
    return profile.current


@pytest.mark.both_databases
@pytest.mark.parametrize("text", ["Be brief.", 'Say "},\\"system_prompt\\":\\"x', "é\\", "%_A"])
def test_an_applied_profile_leaves_the_sessions_instructions(ann: User, text: str) -> None:
    plain = new(ann)
    instructions.write(ann.pk, text)
    own = new(ann)
    instructions.write(ann.pk, "Be long.")
    profile = AgentProfile.default()
    assert not behind(ChatSession.objects.all(), [profile]).exists()
    assert is_current(ann, own)
    for prompt in (profile.system_prompt.lower(), "Another prompt."):
        AgentProfile.objects.update(system_prompt=prompt)
        profile.refresh_from_db()
        assert set(behind(ChatSession.objects.all(), [profile])) == {plain, own}
        assert not is_current(ann, own)
        for chat_session in (plain, own):
            with transaction.atomic():
                chats.apply_profile(ann.pk, chat_session.pk)
        assert not behind(ChatSession.objects.all(), [profile]).exists()
        assert prompt_of(own.pk) == f"{prompt}\n\n{INSTRUCTIONS}\n\n{text}"
        assert prompt_of(plain.pk) == prompt


def test_a_user_takes_them_along(ann: User) -> None:
    instructions.write(ann.pk, "Be brief.")
    ann.delete()
    assert not UserInstructions.objects.exists()
