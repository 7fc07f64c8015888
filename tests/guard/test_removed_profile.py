"""A profile is removed while its session is warm: nothing is sent, and the next profile gets the stored line."""

from __future__ import annotations

import pytest

from sessions_app import database
from sessions_app.errors import Conflict
from sessions_app.models import AgentProfile, ChatSession
from sessions_app.session_store import chats, removal
from tests.guard.oracle import Oracle, stored
from tests.guard.test_bytes import think_call_and_say
from tests.llm.talking import split, timeless
from tests.providers.fixtures import Provider
from tests.turns.fixtures import ANTHROPIC, CHAT, RESPONSES, NewHost, NewSession
from tests.turns.host import worked

MORE = [(RESPONSES, False), (ANTHROPIC, True)]


@pytest.mark.parametrize(
    ("wire", "same"),
    [(CHAT, True), (ANTHROPIC, False), *(pytest.param(*each, marks=pytest.mark.thorough) for each in MORE)],
    indirect=["wire"],
)
async def test_the_next_profile_gets_the_stored_line(
    new_host: NewHost, session: NewSession, provider: Provider, wire: str, same: bool
) -> None:
    hosts = [await new_host(), await new_host()]
    chat = await session()
    think_call_and_say(provider, 4)
    await hosts[0].turn(chat, "one")
    await hosts[0].turn(chat, "two")
    before = provider.bodies[-1]
    await worked(hosts[0])

    def remove() -> int:
        prompt = {} if same else {"system_prompt": "Be brief."}
        other = AgentProfile.objects.create(name="Other", **prompt)
        removal.remove(ChatSession.objects.get(pk=chat).profile or other)
        return other.pk

    other = await database.write(remove)
    sent = len(provider.bodies)
    for host in hosts:
        with pytest.raises(Conflict, match="was removed"):
            await host.ask(chat, "three")
    assert len(provider.bodies) == sent
    await database.write(chats.update, hosts[0].user_id, chat, {"profile": other})
    turn = await hosts[0].turn(chat, "three")
    # Neither the removal nor the choice is a change of the transcript; another prompt is one of the session.
    assert (turn.guard_agent, turn.guard_transcript) == ("reused", "kept" if same else "read")
    await worked(hosts[0])
    now = await database.read(stored, chat)
    assert timeless(provider.bodies[-1]) == await Oracle(wire).body(chat, now.prefix, now.rows[:-1])
    if same:
        [elements, later] = [split(body)[1] for body in (before, provider.bodies[-1])]
        assert later[: len(elements)] == elements
    assert (await hosts[1].turn(chat, "four")).guard_transcript == "read"
