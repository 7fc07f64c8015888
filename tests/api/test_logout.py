"""A logout that is committed just beside a command, or beside the handshake."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.models import Session

from sessions_app import database
from sessions_app.api import auth
from sessions_app.api.consumer import NOT_AUTHORISED
from sessions_app.database import hops
from sessions_app.models import ChatSession
from sessions_app.turns import asking, deleting, opening
from tests.api.conftest import Connect, cookie, login
from tests.providers.script import Gate


def log_out_behind_the_next_hop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a logout be committed at the first moment at which it can, once a command is being carried out."""
    hop = hops._hop

    async def hop_and_log_out(kind: str, user: Hashable, work: Callable[[], Any]) -> Any:
        monkeypatch.setattr(hops, "_hop", hop)
        result = await hop(kind, user, work)
        await database.write(lambda: Session.objects.all()._raw_delete("default"))
        return result

    monkeypatch.setattr(hops, "_hop", hop_and_log_out)


@pytest.mark.parametrize(
    ("method", "params", "module", "name"),
    [
        ("turn.start", {"text": "x"}, asking, "ask"),
        ("turn.stop", {}, asking, "stop"),
        ("session.delete", {}, deleting, "delete"),
        ("session.open", {}, opening, "read_view"),
    ],
)
async def test_a_command_is_carried_out_before_a_logout_or_not_at_all(
    connect: Connect,
    owner: AbstractUser,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    params: Any,
    module: Any,
    name: str,
) -> None:
    client = await connect(headers=[cookie(await database.write(login, owner))])
    session = (await client.call("session.create"))["session"]
    logged_in: list[bool] = []
    carry_out = getattr(module, name)

    def watched(*args: Any, **kwargs: Any) -> Any:
        logged_in.append(Session.objects.exists())
        return carry_out(*args, **kwargs)

    monkeypatch.setattr(module, name, watched)
    log_out_behind_the_next_hop(monkeypatch)
    await client.call(method, session_id=session["id"], **params)
    assert logged_in == [True]
    await client.ask("session.list")
    assert await client.closed() == NOT_AUTHORISED


async def test_who_is_logged_out_while_a_deletion_waits_has_deleted_nothing(
    connect: Connect, owner: AbstractUser, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await connect(headers=[cookie(await database.write(login, owner))])
    session_id = (await client.call("session.create"))["session"]["id"]
    await client.call("turn.start", session_id=session_id, text="hi")
    await gate.reached()
    log_out_behind_the_next_hop(monkeypatch)
    await client.ask("session.delete", session_id=session_id)
    assert await client.closed() == NOT_AUTHORISED
    assert await database.read(ChatSession.objects.filter(pk=session_id).exists)


async def test_a_logout_during_the_handshake_closes(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await database.write(login, owner)
    identify = auth.identify

    async def identify_and_log_out(*asked: Any) -> auth.Caller | None:
        caller = await identify(*asked)
        await database.write(session.flush)
        return caller

    monkeypatch.setattr(auth, "identify", identify_and_log_out)
    client = await connect(headers=[cookie(session)])
    assert await client.closed() == NOT_AUTHORISED
