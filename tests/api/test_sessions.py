"""The session methods, one rule a test."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser

from tests.api.conftest import Connect


async def test_a_created_session_is_answered_and_told_to_all_connections(connect: Connect, owner: AbstractUser) -> None:
    first, second = await connect(owner), await connect(owner)
    session = (await first.call("session.create", title="  Plans  "))["session"]
    assert session["title"] == "Plans"
    assert (session["message_count"], session["archived"], session["pinned"]) == (0, False, False)
    assert await first.fact("session.created") == session
    assert await second.fact("session.created") == session
    assert (await second.call("session.list")) == {"sessions": [session], "next_cursor": None}
