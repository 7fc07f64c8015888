"""An owner that is killed or sleeps in the middle of turns: what was said stays, others go on, nobody writes twice.

One process has several turns, each at another point, when it happens; what becomes of each is a test of its own.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.many import scenes
from tests.many.conftest import Sites, tab_of
from tests.many.outside import WAITING, let_owners_be_silent, said, until
from tests.many.scenes import BEGIN, CALCULATE, COMMIT, END, STEP, Scene, holding
from tests.many.tab import Tab
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

STREAMS, CLAIMED, STORED = "streams", "claimed", "has stored a step"
WAITS = ("user", "waits", "complete")
FIVE_WORDS = ("assistant", "word0 word1 word2 word3 word4 ", "complete")
ROW = "SELECT * FROM sessions_app_turn WHERE run_id = %s"
CHECKPOINT = "SELECT 1 FROM sessions_app_turn WHERE run_id = %s AND checkpoint <> ''"

Stories = dict[str, Scene]


@pytest.fixture(scope="module")
def sites(start_sites: Callable[..., Sites], environment: dict[str, str]) -> Sites:
    """The first is the one that suffers. Their lease never runs out by itself: a slow machine is no dead owner."""
    running = start_sites(2, **environment, HERMES_TURN_LEASE="60")
    scenes.install(running[0].database)
    return running


@pytest.fixture(scope="module")
def new_scene(sites: Sites) -> Iterator[Callable[[str], Scene]]:
    """A scene of a user of its own."""
    with ExitStack() as tabs:

        def new(text: str) -> Scene:
            user = f"{text}{len(sites[0].tokens)}"
            sites[0].database.add_user(user)
            here, there = (tabs.enter_context(tab_of(site, user)) for site in sites)
            return Scene(text, here, there)

        yield new


@pytest.fixture(scope="module")
def asleep(sites: Sites, new_scene: Callable[[str], Scene], module_provider: Provider) -> Stories:
    """The first site is stopped: while it streams, and in the middle of transactions; its gates are open."""
    database = sites[0].database
    streams, step, end, begin = (new_scene(text) for text in (STREAMS, STEP, END, BEGIN))
    streams.play(module_provider, Answer(["One ", "two"], gates={1: streams.gate}))
    step.play(module_provider, Answer(["One "], calls=[CALCULATE], gates={1: step.gate}))
    end.play(module_provider, Answer(["One "], gates={1: end.gate}))
    begin.open()
    for scene in (streams, step, end):
        scene.queue("waits")
        until(database, 1, CHECKPOINT, scene.run_id)
    with holding(database) as held:
        for gate in (step.gate, end.gate):
            gate.open()
        begin.request = begin.here.send("turn.start", session_id=begin.chat, text=BEGIN)
        held.come(3)
        begin.request_there = begin.there.send("turn.start", session_id=begin.chat, text="from elsewhere")
        until(database, 4, WAITING)
        sites[0].process.signal(signal.SIGSTOP)
    held.end()
    let_owners_be_silent(database)
    streams.gate.open()
    return {scene.text: scene for scene in (streams, step, end, begin)}


@pytest.mark.parametrize("text", [STREAMS, STEP, END])
def test_while_it_sleeps_another_says_so_and_runs_what_was_queued(asleep: Stories, sites: Sites, text: str) -> None:
    scene = asleep[text]
    assert_interrupted(scene.there, scene.run_id)
    assert_finished(scene.there, scene.queued[0])
    assert said(sites[0].database, scene.chat) == [
        ("user", text, "complete"),
        ("assistant", "One ", "interrupted"),
        WAITS,
        FIVE_WORDS,
    ]


def test_while_it_sleeps_as_it_begins_a_turn_another_may_begin_one(asleep: Stories, sites: Sites) -> None:
    scene = asleep[BEGIN]
    assert_finished(scene.there, scene.there.result_of(scene.request_there)["run_id"])
    assert said(sites[0].database, scene.chat) == [("user", "from elsewhere", "complete"), FIVE_WORDS]


@pytest.fixture(scope="module")
def awake(asleep: Stories, sites: Sites) -> dict[str, Any]:
    """It goes on, when all that it had was taken over; what was stored then, by text."""
    stored = {}
    for text in (STREAMS, STEP, END):
        scene = asleep[text]
        assert_finished(scene.there, scene.queued[0])
        stored[text] = everything(sites, scene)
    sites[0].process.signal(signal.SIGCONT)
    return stored


@pytest.mark.parametrize("text", [STREAMS, STEP, END])
def test_once_awake_it_writes_nothing_and_says_so(
    asleep: Stories, awake: dict[str, Any], sites: Sites, text: str
) -> None:
    scene = asleep[text]
    assert_interrupted(scene.here, scene.run_id)
    # A turn begins when that before it has been let go of.
    agent, transcript, _ = scene.here.turn(scene.chat, "after")
    assert (agent, transcript) == ("reused", "read")
    messages, row = everything(sites, scene)
    assert (messages[:4], row) == awake[text]
    assert [text for _, text, _ in messages[4:]] == ["after", FIVE_WORDS[1]]


def test_once_awake_it_begins_what_it_was_asked_and_had_not_stored(
    asleep: Stories, awake: dict[str, Any], sites: Sites
) -> None:
    scene = asleep[BEGIN]
    run_id = scene.here.result_of(scene.request)["run_id"]
    assert_finished(scene.here, run_id)
    texts = [text for role, text, _ in said(sites[0].database, scene.chat) if role == "user"]
    assert sorted(texts) == sorted([BEGIN, "from elsewhere"])


@pytest.fixture(scope="module")
def killed(sites: Sites, new_scene: Callable[[str], Scene], module_provider: Provider) -> Stories:
    """The first site is killed, and not started again."""
    database, provider = sites[0].database, module_provider
    claimed, streams, stored, end, commit = (new_scene(text) for text in (CLAIMED, STREAMS, STORED, END, COMMIT))
    claimed.play(provider, Answer(["One "], gates={0: claimed.gate}))
    streams.play(provider, Answer(["One ", "two"], gates={1: streams.gate}))
    stored.play(provider, Answer(["First "], calls=[CALCULATE]), Answer(["One ", "two"], gates={1: stored.gate}))
    end.play(provider, Answer(["One "], gates={1: end.gate}))
    commit.play(provider, Answer(["One "], gates={1: commit.gate}))
    for scene in (claimed, streams, stored, end):
        scene.queue("waits")
    commit.queue("claimed by the dead", "waits")
    for scene in (streams, stored, end, commit):
        until(database, 1, CHECKPOINT, scene.run_id)
    with holding(database) as held:
        for gate in (end.gate, commit.gate):
            gate.open()
        held.come(2)
        sites[0].kill()
    held.end()
    let_owners_be_silent(database)
    return {scene.text: scene for scene in (claimed, streams, stored, end, commit)}


INTERRUPTED = ("assistant", "One ", "interrupted")


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (CLAIMED, []),
        (STREAMS, [INTERRUPTED]),
        (STORED, [("assistant", "First ", "complete"), ("tool", "42", "complete"), INTERRUPTED]),
        (END, [INTERRUPTED]),
    ],
)
def test_what_a_killed_owner_had_stored_is_there_and_another_goes_on(
    killed: Stories, sites: Sites, text: str, stored: list[Any]
) -> None:
    scene = killed[text]
    assert_interrupted(scene.there, scene.run_id)
    assert_finished(scene.there, scene.queued[0])
    assert said(sites[0].database, scene.chat) == [("user", text, "complete"), *stored, WAITS, FIVE_WORDS]


def test_an_end_that_was_committed_and_told_nobody_is_told_by_another(killed: Stories, sites: Sites) -> None:
    """The commit had begun the next turn for the dead; that one has no answer, the one after it has."""
    scene = killed[COMMIT]
    assert_finished(scene.there, scene.run_id)
    assert_interrupted(scene.there, scene.queued[0])
    assert_finished(scene.there, scene.queued[1])
    assert texts_told(scene.there) >= {COMMIT, "claimed by the dead", "waits"}
    assert said(sites[0].database, scene.chat) == [
        ("user", COMMIT, "complete"),
        ("assistant", "One ", "complete"),
        ("user", "claimed by the dead", "complete"),
        WAITS,
        FIVE_WORDS,
    ]


def everything(sites: Sites, scene: Scene) -> Any:
    """The session's messages, and the row of the turn that was lost."""
    database = sites[0].database
    return said(database, scene.chat), database.run(ROW, scene.run_id)


def texts_told(tab: Tab) -> set[str]:
    """The users' messages that have begun a turn, as far as the tab was told."""
    facts = [event["event"] for event in tab.events if event["event"].get("name") == "message.created"]
    return {fact["value"]["text"] for fact in facts}


def assert_interrupted(tab: Tab, run_id: str) -> None:
    end = tab.end_of(run_id)
    assert (end["event"]["type"], end["event"].get("code"), end["seq"]) == ("RUN_ERROR", "interrupted", None)


def assert_finished(tab: Tab, run_id: str) -> None:
    end = tab.end_of(run_id)
    assert end["event"]["type"] == "RUN_FINISHED"
    assert end["seq"] > 1
