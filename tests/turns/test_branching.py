"""A conversation goes on from an earlier place: another answer, an edited message, another line."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser

from sessions_app import database
from sessions_app.conversations import branches
from sessions_app.conversations.schemas import MessageShape
from sessions_app.errors import CommandError, Conflict, NotFound, WrongKind
from sessions_app.models import Branch, ChatSession, Turn
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, guard_of, said, stands_at, stored_turn, within
from tests.turns.steps import edited, regenerated

pytestmark = pytest.mark.one_database

CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


@pytest.fixture
def stranger(user: AbstractUser) -> int:
    """Another user's id."""
    return get_user_model().objects.create_user("stranger").pk


async def shown(host: Host, chat: UUID) -> list[MessageShape]:
    """The messages as a client that opens the session gets them."""
    messages: list[MessageShape] = (await host.open(chat))["messages"]
    return messages


async def texts(host: Host, chat: UUID) -> list[str]:
    return [message.text for message in await shown(host, chat)]


def sent(provider: Provider, number: int = -1) -> list[tuple[str, str]]:
    """Role and text of what a request sent, without the system prompt."""
    messages: list[dict[str, Any]] = json.loads(provider.bodies[number])["messages"]
    return [(each["role"], each["content"]) for each in messages if each["role"] != "system"]


async def test_a_regenerated_answer_stands_beside_the_first(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    provider.script(Answer(["First."]), Answer(["Second."]))
    await host.turn(chat, "hello")
    [_, first] = await shown(host, chat)
    turn = await regenerated(host, chat)
    assert (turn.status, turn.kind) == ("complete", "regeneration")
    [asked, second] = await shown(host, chat)
    assert (asked.text, second.text) == ("hello", "Second.")
    assert (second.alternatives, second.place) == ([first.id], 2)
    assert asked.alternatives == []
    assert provider.bodies[0] == provider.bodies[1]


async def test_an_edited_message_begins_another_line(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    provider.script(Answer(["One."]), Answer(["Two."]), Answer(["Three."]))
    await host.turn(chat, "first")
    await host.turn(chat, "second")
    before = await shown(host, chat)
    turn = await edited(host, before[2].id, "other")
    assert turn.kind == "edit"
    now = await shown(host, chat)
    assert [message.text for message in now] == ["first", "One.", "other", "Three."]
    assert (now[2].alternatives, now[2].place) == ([before[2].id], 2)
    assert [message.id for message in now[:2]] == [message.id for message in before[:2]]
    assert sent(provider) == [("user", "first"), ("assistant", "One."), ("user", "other")]


async def test_the_first_message_can_be_edited(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    await host.turn(chat, "first")
    [first, _] = await shown(host, chat)
    await edited(host, first.id, "other")
    assert sent(provider) == [("user", "other")]
    assert (await shown(host, chat))[0].alternatives == [first.id]


async def test_an_earlier_answer_is_regenerated_without_what_came_later(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await host.turn(chat, "first")
    await host.turn(chat, "second")
    [_, answer, *_] = await shown(host, chat)
    await regenerated(host, chat, answer.id)
    assert sent(provider) == [("user", "first")]
    assert len(await shown(host, chat)) == 2


async def test_a_turn_with_tools_is_regenerated_whole(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    provider.script(Answer(["See: "], calls=[CALCULATE]), Answer(["42."]), Answer(["Forty-two."]))
    await host.turn(chat, "what?")
    before = await shown(host, chat)
    assert [message.role for message in before] == ["user", "assistant", "tool", "assistant"]
    await regenerated(host, chat, before[-1].id)
    now = await shown(host, chat)
    assert [message.text for message in now] == ["what?", "Forty-two."]
    assert now[1].alternatives == [before[1].id]


@pytest.mark.parametrize("status", [pytest.param(400, marks=pytest.mark.thorough), 403])
async def test_a_retry_after_an_error_answers_the_same_message(
    host: Host, session: NewSession, provider: Provider, status: int
) -> None:
    chat = await session()
    provider.script(Answer(status=status), Answer(["Now."]))
    assert (await host.turn(chat, "hello")).status == "failed"
    [asked] = await shown(host, chat)
    assert asked.error is not None
    await regenerated(host, chat)
    [same, answer] = await shown(host, chat)
    assert (same.id, same.error, answer.text, answer.alternatives) == (asked.id, None, "Now.", [])
    assert await database.read(Branch.objects.filter(chat_session=chat).count) == 1
    assert sent(provider) == [("user", "hello")]


async def test_versions_are_walked_and_the_newest_continuation_is_shown(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    provider.script(*[Answer([f"Answer {number}."]) for number in range(5)])
    await host.turn(chat, "first")
    [_, oldest] = await shown(host, chat)
    await host.turn(chat, "goes on")
    await regenerated(host, chat, oldest.id)
    [_, newest] = await shown(host, chat)
    service = host.runner.service
    result, messages, has_more = await service.select_branch(host.user_id, oldest.id, 50)
    assert [message.text for message in messages] == ["first", "Answer 0.", "goes on", "Answer 1."]
    assert (messages[1].alternatives, messages[1].place, has_more) == ([newest.id], 1, False)
    assert result.revision > 0
    assert await texts(host, chat) == ["first", "Answer 0.", "goes on", "Answer 1."]
    # What is shown already is no change.
    again, _, _ = await service.select_branch(host.user_id, oldest.id, 50)
    assert again.revision == result.revision


async def test_the_next_turn_answers_the_line_that_was_chosen(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    provider.script(Answer(["One."]), Answer(["Two."]), Answer(["Three."]))
    await host.turn(chat, "first")
    [_, first] = await shown(host, chat)
    await regenerated(host, chat)
    await host.runner.service.select_branch(host.user_id, first.id, 50)
    await host.turn(chat, "and now?")
    assert sent(provider) == [("user", "first"), ("assistant", "One."), ("user", "and now?")]


@pytest.mark.thorough
async def test_20_versions_of_one_answer_stand_beside_each_other(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat, "hello")
    for _ in range(20):
        await regenerated(host, chat)
    [_, answer] = await shown(host, chat)
    assert (len(answer.alternatives), answer.place) == (20, 21)

    def depth() -> int:
        return len(list(branches.line(ChatSession.objects.get(pk=chat))))

    assert await database.read(depth) == 2


# What is refused


async def refused(call: Any) -> CommandError:
    with pytest.raises(CommandError) as refusal:
        await within(call)
    return refusal.value


async def test_an_answer_cannot_be_edited_nor_a_message_regenerated(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat)
    [asked, answer] = await shown(host, chat)
    service = host.runner.service
    assert isinstance(await refused(service.edit_message(host.user_id, answer.id, "x", None)), WrongKind)
    assert isinstance(await refused(service.regenerate(host.user_id, chat, asked.id)), WrongKind)


async def test_an_empty_session_has_nothing_to_regenerate(host: Host, session: NewSession) -> None:
    assert isinstance(await refused(host.runner.service.regenerate(host.user_id, await session(), None)), Conflict)


async def test_messages_of_others_look_like_none(host: Host, session: NewSession, stranger: int) -> None:
    chat = await session()
    await host.turn(chat)
    [asked, answer] = await shown(host, chat)
    service = host.runner.service
    for user_id, message_id in ((stranger, asked.id), (host.user_id, uuid4())):
        assert isinstance(await refused(service.edit_message(user_id, message_id, "x", None)), NotFound)
        assert isinstance(await refused(service.select_branch(user_id, message_id, 50)), NotFound)
    assert isinstance(await refused(service.regenerate(stranger, chat, answer.id)), NotFound)
    other = await session()
    assert isinstance(await refused(service.regenerate(host.user_id, other, answer.id)), NotFound)


async def test_what_is_not_shown_cannot_be_changed(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat, "one")
    await host.turn(chat, "two")
    [first, _, second, answer] = await shown(host, chat)
    await edited(host, first.id, "other")
    service = host.runner.service
    assert isinstance(await refused(service.edit_message(host.user_id, second.id, "x", None)), Conflict)
    assert isinstance(await refused(service.regenerate(host.user_id, chat, answer.id)), Conflict)
    assert await database.read(Branch.objects.filter(chat_session=chat).count) == 2


async def test_while_a_turn_runs_or_waits_nothing_is_steered(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await host.turn(chat, "one")
    [asked, answer] = await shown(host, chat)
    await regenerated(host, chat)
    gate = Gate()
    provider.script(Answer(["two"], gates={0: gate}))
    running = await host.ask(chat, "two")
    await stands_at(gate)
    service = host.runner.service
    for call in (
        service.regenerate(host.user_id, chat, None),
        service.edit_message(host.user_id, asked.id, "x", None),
        service.select_branch(host.user_id, answer.id, 50),
    ):
        assert isinstance(await refused(call), Conflict)
    gate.open()
    await host.listener.end_of(running.run_id)


@pytest.mark.both_databases
async def test_a_turn_that_is_being_stopped_is_waited_for(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}), Answer(["Anew."]))
    running = await host.ask(chat, "hello")
    await stands_at(gate)
    await database.write(lambda: Turn.objects.filter(run_id=running.run_id).update(stop_requested=True))
    turn = await regenerated(host, chat)
    assert (await stored_turn(running.run_id)).status == "stopped"
    assert turn.status == "complete"
    assert await texts(host, chat) == ["hello", "Anew."]


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
async def test_of_two_who_regenerate_at_once_one_is_refused(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    hosts = [await new_host(), await new_host()]
    chat = await session()
    await hosts[0].turn(chat)
    gate = Gate()
    provider.script(Answer(["Second."], gates={0: gate}))
    asked = [host.runner.service.regenerate(host.user_id, chat, None) for host in hosts]
    results = await within(asyncio.gather(*asked, return_exceptions=True))
    assert sorted(type(result).__name__ for result in results) == ["BranchedTurn", "Conflict"]
    gate.open()
    [winner] = [result for result in results if not isinstance(result, BaseException)]
    await hosts[0].listener.end_of(winner.asked.run_id)
    assert [text for _, text, _ in await said(chat)] == ["hello", "Second."]


# What others have shown meanwhile


async def test_a_stale_tab_is_refused_only_where_another_line_was_chosen(host: Host, session: NewSession) -> None:
    chat = await session()
    shown_revision = (await host.open(chat))["session"].revision
    await host.turn(chat, "one")
    service = host.runner.service
    asked = await service.start_turn(host.user_id, chat, "two", None, revision=shown_revision)
    await host.listener.end_of(asked.run_id)
    stale = (await host.open(chat))["session"].revision
    message_id = uuid4()
    sent_before = await service.start_turn(host.user_id, chat, "three", message_id, revision=stale)
    await host.listener.end_of(sent_before.run_id)
    await regenerated(host, chat)
    count = len(await shown(host, chat))
    refusal = await refused(service.start_turn(host.user_id, chat, "four", None, revision=stale))
    assert isinstance(refusal, Conflict)
    assert len(await shown(host, chat)) == count
    # A repeat is answered before that is asked.
    again = await service.start_turn(host.user_id, chat, "three", message_id, revision=stale)
    assert again.run_id == sent_before.run_id
    fresh = (await host.open(chat))["session"].revision
    asked = await service.start_turn(host.user_id, chat, "four", None, revision=fresh)
    await host.listener.end_of(asked.run_id)


@pytest.mark.both_databases
async def test_the_same_edit_sent_again_is_the_same_turn(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat, "one")
    [first, _] = await shown(host, chat)
    new_id = uuid4()
    service = host.runner.service
    once = await service.edit_message(host.user_id, first.id, "other", new_id)
    await host.listener.end_of(once.asked.run_id)
    again = await service.edit_message(host.user_id, first.id, "other", new_id)
    assert (again.asked.run_id, again.asked.message.id) == (once.asked.run_id, new_id)
    assert isinstance(await refused(service.edit_message(host.user_id, first.id, "another", new_id)), Conflict)
    assert await database.read(Branch.objects.filter(chat_session=chat).count) == 2


async def test_tabs_are_told_that_another_line_is_shown(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat, "one")
    await regenerated(host, chat)
    told = await host.listener.fact("branch.selected")
    assert told["id"] == str(chat)
    names = host.listener.facts()
    assert names.index("branch.selected") < len(names) - 1 - names[::-1].index("turn.began")
    assert "transcript.changed" not in names


async def test_another_answer_is_told_with_its_versions(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    provider.script(Answer(["One."]), Answer(["See: "], calls=[CALCULATE]), Answer(["42."]))
    await host.turn(chat, "one")
    [_, first] = await shown(host, chat)
    await regenerated(host, chat)
    created = [event["event"] for event in host.listener.events if event["event"].get("name") == "message.created"]
    told = [event["value"] for event in created[-3:]]
    assert [each["alternatives"] for each in told] == [[str(first.id)], [], []]
    assert told[0]["place"] == 2


async def test_the_warm_transcript_is_cut_and_not_read_again(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await host.turn(chat, "one")
    await host.turn(chat, "two")
    assert guard_of(await regenerated(host, chat))[:2] == ("reused", "kept")
    [first, *_] = await shown(host, chat)
    assert guard_of(await edited(host, first.id, "other"))[:2] == ("reused", "kept")
    assert guard_of(await host.turn(chat, "and on"))[:2] == ("reused", "kept")


# A regeneration that brings nothing


@pytest.mark.parametrize("how", [pytest.param("refused", marks=pytest.mark.thorough), "stopped"])
async def test_a_regeneration_without_a_word_shows_the_answer_before_again(
    host: Host, session: NewSession, provider: Provider, how: str
) -> None:
    chat = await session()
    gate = Gate()
    provider.script(Answer(["First."]), Answer(["Second."]))
    await host.turn(chat, "hello")
    await regenerated(host, chat)
    [asked, second] = await shown(host, chat)
    first = second.alternatives[0]
    await host.runner.service.select_branch(host.user_id, first, 50)
    provider.script(Answer(status=403) if how == "refused" else Answer(["Never"], gates={0: gate}))
    if how == "refused":
        assert (await regenerated(host, chat)).status == "failed"
    else:
        branched = await host.runner.service.regenerate(host.user_id, chat, None)
        await stands_at(gate)
        assert await host.stop(chat, branched.asked.run_id)
    now = await shown(host, chat)
    assert [message.id for message in now] == [asked.id, first]
    assert (now[0].error, now[1].alternatives) == (None, [second.id])
    assert await database.read(Branch.objects.filter(chat_session=chat).count) == 2
    provider.script(Answer(["Third."]))
    await host.turn(chat, "and on")
    assert sent(provider)[:2] == [("user", "hello"), ("assistant", "First.")]
