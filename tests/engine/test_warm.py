"""The claim of this project on an engine that really caches prompts: a token is evaluated once.

llama.cpp counts what it evaluates. What it evaluated for the host, turn by turn, is held against what another one like
it evaluates for an ideal client that sends the same stored transcripts in the same order.

All of it is thorough. That each request only adds to the bytes of the last one, in whatever process, the suite asks in
tests/guard; that the ledger expects and names what was missed, in tests/turns/test_ledger.py.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.engine.ideal import Ideal
from tests.engine.model import LETTERS, NAME
from tests.engine.outside import append, edit
from tests.engine.server import Count, Engine
from tests.engine.story import Story
from tests.live import LiveSite
from tests.many.conftest import tab_of

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def story(start_site: Callable[..., LiveSite], start_engine: Callable[[], Engine]) -> Story:
    """Two sessions of a user, two processes, a restart, a foreign append, an edit."""
    engine = start_engine()
    env = {"HERMES_MODEL": f"openai-chat:{NAME}", "OPENAI_BASE_URL": engine.url, "OPENAI_API_KEY": "loopback"}
    a = start_site(**env)
    b = LiveSite(a.database, **env)
    b.launch()
    story = Story(a.database, engine)
    try:
        _play(story, a, b)
    finally:
        codes = [site.stop() for site in (a, b)]
    assert codes == [0, 0]
    assert a.errors() + b.errors() == []
    return story


def _play(story: Story, a: LiveSite, b: LiveSite) -> None:
    with tab_of(a, "owner") as tab:
        one, two = tab.new_session(), tab.new_session()
        for chat in (one, one, two, one, two):
            story.turn(tab, chat)
    a.restart()
    b.await_ready()
    with tab_of(a, "owner") as here, tab_of(b, "owner") as there:
        for tab in (here, there):
            tab.open(one)
        for tab in (here, there, here, there):
            story.turn(tab, one)
        append(story.database, one)
        for tab in (here, there):
            story.turn(tab, one)
        edit(story.database, one, 0)
        for tab in (here, there):
            story.turn(tab, one)


def test_the_engine_evaluates_for_the_host_what_it_evaluates_for_an_ideal_client(
    story: Story, start_engine: Callable[[], Engine]
) -> None:
    engine = start_engine()
    ideal = Ideal(engine.url)
    counts = []
    for turn in story.turns:
        before = engine.count()
        assert ideal.ask(turn.body).text == LETTERS
        counts.append(engine.count().since(before))
    assert [turn.count for turn in story.turns] == counts


def test_a_token_is_evaluated_again_only_after_an_edit(story: Story) -> None:
    """Beyond what is new: the last token of the answer before, which was said and never read."""
    last: dict[str, Count] = {}
    again = []
    for turn in story.turns:
        had = last[turn.chat].sent + len(LETTERS) - 1 if turn.chat in last else 0
        again.append(max(0, had - turn.count.cached))
        last[turn.chat] = turn.count
    edited = len(again) - 2
    assert [number for number, tokens in enumerate(again) if tokens] == [edited]


def test_the_ledger_has_what_the_engine_counted(story: Story) -> None:
    lines = [(turn.line.input, turn.line.cached) for turn in story.turns]
    assert lines == [(turn.count.sent, turn.count.cached) for turn in story.turns]


def test_the_ledger_expects_what_the_last_request_of_the_session_had(story: Story) -> None:
    for chat in {turn.chat for turn in story.turns}:
        lines = [turn.line for turn in story.turns if turn.chat == chat]
        assert lines[0].expected == 0
        assert [after.expected for _, after in pairwise(lines)] == [before.input for before, _ in pairwise(lines)]


def test_the_ledger_names_the_first_turns_and_the_edit_and_nothing_else(story: Story) -> None:
    edited = len(story.turns) - 2
    assert [turn.line.miss for turn in story.turns] == ["first", "", "first"] + [""] * (edited - 3) + ["edited", ""]


def test_a_message_more_only_adds_to_the_text_that_the_model_reads(
    start_engine: Callable[[], Engine], story: Story
) -> None:
    """Also with calls and results, which random weights never ask for."""
    engine = start_engine()
    call = {"id": "1", "type": "function", "function": {"name": "calculator", "arguments": '{"expression": "6 * 7"}'}}
    body = story.turns[0].body
    texts = [engine.text(body)]
    for more in (
        [
            {"role": "assistant", "content": "Let me see.", "tool_calls": [call, call]},
            {"role": "tool", "tool_call_id": "1", "content": "42"},
            {"role": "tool", "tool_call_id": "1", "content": "42"},
        ],
        [{"role": "assistant", "content": "42"}, {"role": "user", "content": "Thank you."}],
    ):
        body = {**body, "messages": [*body["messages"], *more]}
        texts.append(engine.text(body))
    for before, after in pairwise(texts):
        assert after.startswith(before)
        assert len(after) > len(before)
