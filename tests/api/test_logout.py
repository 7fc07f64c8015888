"""A logout that is committed just beside a command, or beside the handshake."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.models import Session

from sessions_app import database
from sessions_app.api import auth, identifying, revocation
from sessions_app.api.consumer import NOT_AUTHORISED
from sessions_app.database import hops
from sessions_app.models import ApiToken, ChatSession, Turn
from sessions_app.turn_store import asking, deleting, opening
from sessions_app.turns.runner import Runner
from tests.api.conftest import Connect, bearer, cookie, login
from tests.providers.script import Gate
from tests.turns.host import within

pytestmark = pytest.mark.both_databases  # they are races


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
        ("session.open", {}, opening, "read_snapshot"),
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


@pytest.mark.thorough_on_postgresql
async def test_a_logout_during_the_handshake_closes(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await database.write(login, owner)
    identify = identifying.identify

    async def identify_and_log_out(*asked: Any) -> auth.Caller | None:
        caller = await identify(*asked)
        await database.write(session.flush)
        return caller

    monkeypatch.setattr(identifying, "identify", identify_and_log_out)
    monkeypatch.setattr(revocation, "EVERY_SECONDS", 0.05)
    client = await connect(headers=[cookie(session)])
    assert await client.closed() == NOT_AUTHORISED


@pytest.mark.thorough_on_postgresql
@pytest.mark.parametrize("by", ["logout", "revoked token"])
async def test_a_logout_or_a_revoked_token_leaves_the_turn_running(
    connect: Connect, owner: AbstractUser, gate: Gate, runner: Runner, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr(revocation, "EVERY_SECONDS", 0.05)
    header = cookie(await database.write(login, owner)) if by == "logout" else await bearer(owner)
    client = await connect(headers=[header])
    session_id = (await client.call("session.create"))["session"]["id"]
    for text in ("runs", "waits"):
        await client.call("turn.start", session_id=session_id, text=text)
    await gate.reached()
    await database.write(lambda: (Session.objects.all().delete(), ApiToken.objects.all().delete()))
    assert await client.closed() == NOT_AUTHORISED
    gate.open()
    while runner.runs:
        await within(runner.runs[0].ended.wait())
    assert await database.read(lambda: list(Turn.objects.values_list("status", flat=True))) == ["complete"] * 2
