"""Lines, versions and forks of one conversation, against the plainest reading of its rows that there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.conversations import branches
from sessions_app.conversations.versions import versions
from sessions_app.errors import Conflict
from sessions_app.models import Branch, ChatSession, Message
from sessions_app.session_store import chats, forking
from sessions_app.turn_store.opening import read_snapshot
from tests.examples import fewer_on_postgresql
from tests.guard.oracle import line_of

pytestmark = pytest.mark.django_db

# Say so many rows; begin another line at a place of the present one; show the line of some message.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(1, 3)),
        st.tuples(st.just("fork"), st.integers(0, 30)),
        st.tuples(st.just("select"), st.integers(0, 60)),
    ),
    min_size=1,
    max_size=25,
)


class Conversation:
    """A session, and what a plain reading of all its rows says of it."""

    def __init__(self) -> None:
        user = get_user_model().objects.create_user(uuid4().hex)
        self.id = chats.create(user.pk, "").id

    @property
    def session(self) -> ChatSession:
        return ChatSession.objects.select_related("active_branch", "stamp").get(pk=self.id)

    @property
    def all(self) -> list[Message]:
        return list(Message.objects.filter(chat_session=self.id).order_by("pk"))

    def line(self) -> list[Message]:
        of = {branch.pk: branch for branch in Branch.objects.filter(chat_session=self.id)}
        return line_of(of[self.session.active_branch_id], of, self.all)

    def say(self, count: int) -> None:
        for _ in range(count):
            session = self.session
            Message.objects.create(
                owner_id=session.owner_id,
                chat_session=session,
                branch_id=session.active_branch_id,
                position=branches.next_position(session),
                role="user",
                text="words",
            )

    def take(self, step: tuple[str, int]) -> None:
        action, number = step
        if action == "say":
            self.say(number)
        elif action == "fork" and (line := self.line()):
            branches.start(self.session, line[number % len(line)].position)
            self.say(1)
        elif action == "select" and (rows := self.all):
            branches.activate(self.session, branches.continuation(rows[number % len(rows)]))


def families(conversation: Conversation) -> dict[int, list[UUID]]:
    """By primary key, the messages of each place: those whose lines are the same up to there."""
    of = {branch.pk: branch for branch in Branch.objects.filter(chat_session=conversation.id)}
    rows = conversation.all
    before: dict[tuple[int, tuple[int, ...]], list[Message]] = defaultdict(list)
    for row in rows:
        line = line_of(of[row.branch_id], of, rows)
        earlier = tuple(each.pk for each in line if each.position < row.position)
        before[row.position, earlier].append(row)
    return {
        row.pk: [each.public_id for each in family] for family in before.values() if len(family) > 1 for row in family
    }


@settings(max_examples=fewer_on_postgresql(18))
@given(STEPS, st.integers(1, 8))
def test_every_reading_agrees_with_the_plain_one(steps: list[tuple[str, int]], limit: int) -> None:
    conversation = Conversation()
    for step in steps:
        conversation.take(step)
    session, line = conversation.session, conversation.line()
    assert [row for (row,) in branches.values(session, "id")] == [row.pk for row in line]
    for before in (None, *(row.position for row in line)):
        rows = [row for row in line if before is None or row.position < before]
        found, has_more = branches.latest(session, limit, before=before)
        assert ([row.pk for row in found], has_more) == ([row.pk for row in rows[-limit:]], len(rows) > limit)
    shown = {row.pk for row in line}
    assert {row.pk for row in conversation.all if branches.is_shown(session, row)} == shown
    assert versions(conversation.all) == families(conversation)
    assert versions(line) == {pk: family for pk, family in families(conversation).items() if pk in shown}


@pytest.mark.thorough_on_postgresql
@settings(max_examples=fewer_on_postgresql(9))
@given(STEPS, st.integers(0, 60))
def test_the_line_that_is_selected_holds_the_message(steps: list[tuple[str, int]], number: int) -> None:
    conversation = Conversation()
    for step in [("say", 1), *steps]:
        conversation.take(step)
    rows = conversation.all
    chosen = rows[number % len(rows)]
    conversation.take(("select", number))
    line = conversation.line()
    assert chosen.pk in {row.pk for row in line}
    # Of all lines that hold it, the one that was said last.
    of = {branch.pk: branch for branch in Branch.objects.filter(chat_session=conversation.id)}
    holding = [own for branch in of.values() if chosen in (own := line_of(branch, of, rows))]
    assert line[-1].pk == max(own[-1].pk for own in holding)


@pytest.mark.thorough_on_postgresql
@settings(max_examples=fewer_on_postgresql(9))
@given(STEPS, st.integers(0, 60))
def test_a_forked_session_holds_the_line_up_to_the_message(steps: list[tuple[str, int]], number: int) -> None:
    conversation = Conversation()
    for step in [("say", 2), *steps]:
        conversation.take(step)
    rows = conversation.all
    chosen = rows[number % len(rows)]
    made = forking.fork(chosen.owner_id, chosen.public_id)
    copied = list(Message.objects.filter(chat_session=made.id).order_by("position"))
    of = {branch.pk: branch for branch in Branch.objects.filter(chat_session=conversation.id)}
    line = [row for row in line_of(of[chosen.branch_id], of, rows) if row.position <= chosen.position]
    assert _said(copied) == _said(line)
    assert not {row.public_id for row in copied} & {row.public_id for row in rows}
    assert conversation.all == rows


def _said(rows: Sequence[Message]) -> list[tuple[int, str, str]]:
    return [(row.position, row.role, row.text) for row in rows]


def test_a_circle_of_branches_ends() -> None:
    """As a foreign program may leave it."""
    conversation = Conversation()
    conversation.say(2)
    branches.start(conversation.session, 1)
    session = conversation.session
    Branch.objects.filter(chat_session=session).exclude(pk=session.active_branch_id).update(
        parent=session.active_branch
    )
    assert len(list(branches.line(conversation.session))) == 2


# However many branches there are


def grown(width: int, depth: int) -> Conversation:
    """A conversation of so many versions of one message, or of so many forks one behind the other."""
    conversation = Conversation()
    conversation.say(2)
    for _ in range(width):
        branches.start(conversation.session, 1)
        conversation.say(1)
    for position in range(2, 2 + depth):
        conversation.say(1)
        branches.start(conversation.session, position)
        conversation.say(1)
    return conversation


@pytest.mark.one_database  # the queries are as many on both
@pytest.mark.parametrize(("width", "depth"), [(30, 0), (0, 60)])
def test_what_a_turn_reads_takes_as_many_queries(width: int, depth: int, django_assert_max_num_queries: Any) -> None:
    conversation = grown(width, depth)
    session = conversation.session
    count = django_assert_max_num_queries
    with count(2):
        branches.next_position(session)
    with count(4):
        messages, _ = branches.latest(session, 50)
    with count(2):
        assert len(versions(messages)) == min(1 + depth, 50 if depth else 1)
    assert [row.pk for row in messages] == [row.pk for row in conversation.line()][-50:]
    with count(11):
        read_snapshot(session.owner_id, session.pk, 50)
    with count(60), transaction.atomic():
        made = forking.fork(session.owner_id, messages[-1].public_id)
    assert made.message_count == len(conversation.line())
    with count(8):
        branches.activate(session, branches.continuation(conversation.all[1]))


@pytest.mark.thorough_on_postgresql
@settings(max_examples=fewer_on_postgresql(9))
@given(STEPS, st.integers(1, 8))
def test_windows_of_a_line_agree_with_the_plain_reading(steps: list[tuple[str, int]], limit: int) -> None:
    conversation = Conversation()
    for step in [("say", 2), *steps]:
        conversation.take(step)
    line, user_id = conversation.line(), conversation.session.owner_id
    ids = [row.public_id for row in line]
    for place, row in enumerate(line):
        after = chats.messages_after(user_id, conversation.id, row.position, limit)
        assert [each.id for each in after.messages] == ids[place + 1 : place + 1 + limit]
        assert (after.has_more, after.has_newer) == (True, place + 1 + limit < len(ids))
        before = chats.messages_before(user_id, conversation.id, row.position, limit)
        assert [each.id for each in before.messages] == ids[max(0, place - limit) : place]
        assert (before.has_more, before.has_newer) == (place > limit, True)
        around = chats.messages_around(user_id, conversation.id, row.public_id, limit)
        first, last = max(0, place + 1 - (limit + 1) // 2), place + 1 + limit // 2
        assert [each.id for each in around.messages] == ids[first:last]
        assert (around.has_more, around.has_newer) == (first > 0, last < len(ids))
    hidden = [row for row in conversation.all if row not in line]
    for row in hidden[:1]:
        with pytest.raises(Conflict):
            chats.messages_around(user_id, conversation.id, row.public_id, limit)
