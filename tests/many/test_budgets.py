"""Sixty turns at the same instant, in three processes, of one group's budget: no more is spent than it has.

Also not where one of the processes is killed with what its turns hold. In `make test-thorough`: the suite asks
in one process what is reserved and refused for it (tests/budgets/test_turns.py).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.databases import Database
from tests.many.conftest import Sites, tab_of
from tests.many.outside import let_owners_be_silent, until
from tests.many.tab import Tab
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.providers.server import Server

pytestmark = pytest.mark.thorough

USERS, SESSIONS = 12, 5
LIMIT = 10_000
_BUDGET = """
WITH staff AS (INSERT INTO auth_group (name) VALUES ('staff') RETURNING id),
members AS (
  INSERT INTO auth_user_groups (user_id, group_id)
  SELECT auth_user.id, staff.id FROM auth_user, staff WHERE username LIKE 'member%%'
)
INSERT INTO sessions_app_budget (group_id, per, unit, amount, warn_at) SELECT id, 'month', 'tokens', %s, 80 FROM staff
"""
_COUNTERS = "SELECT spent, reserved FROM sessions_app_budgetperiod"
_LEDGER = """
SELECT sum(input_tokens + output_tokens + uncounted_tokens), count(*) FILTER (WHERE held IS NOT NULL)
FROM sessions_app_turn
"""
_ALL_GIVEN_BACK = "SELECT 1 FROM sessions_app_budgetperiod WHERE reserved = 0"


@pytest.fixture(scope="module")
def module_provider() -> Iterator[Provider]:
    """Keeps to limits, and gives answers of many lengths: of words that are a token each, as it counts them."""
    lengths = random.Random("lengths")
    server = Server(lambda: Answer(["abc "] * lengths.choice([1, 5, 40, 300, 600, 900])))
    server.keeps_limits = True
    running = Provider(server)
    yield running
    running.close()


@pytest.fixture(scope="module")
def sites(start_sites: Callable[..., Sites], environment: dict[str, str]) -> Sites:
    """Three, of which one is killed. Their lease never runs out by itself: a slow machine is no dead owner."""
    running = start_sites(3, **environment, HERMES_TURN_LEASE="60")
    for number in range(USERS):
        running[0].database.add_user(f"member{number}")
    running[0].database.run(_BUDGET, LIMIT)
    return running


@pytest.fixture
def tabs(sites: Sites) -> Iterator[list[tuple[Tab, list[str]]]]:
    """A connection of each user, with their chats, which it has opened."""
    with ExitStack() as open_tabs:
        connected = [
            open_tabs.enter_context(tab_of(sites[number % len(sites)], f"member{number}")) for number in range(USERS)
        ]
        asked = [[tab.send("session.create") for _ in range(SESSIONS)] for tab in connected]
        made = [
            (tab, [each["result"]["session"]["id"] for each in answers_of(tab, ids)])
            for tab, ids in zip(connected, asked, strict=True)
        ]
        opened = [(tab, [tab.send("session.open", session_id=chat) for chat in chats]) for tab, chats in made]
        for tab, ids in opened:
            answers_of(tab, ids)
        yield made


def answers_of(tab: Tab, ids: list[int]) -> list[dict[str, Any]]:
    """The answers to requests, which come in any order."""
    found: dict[Any, dict[str, Any]] = {}
    while not found.keys() >= set(ids):
        frame = tab.next()
        found[frame.get("id")] = frame
    return [found[each] for each in ids]


def volley(tabs: list[tuple[Tab, list[str]]]) -> tuple[int, set[str]]:
    """A turn in each chat, all at once; how many were admitted and have ended, and why the others were refused."""
    asked = [
        (tab, [tab.send("turn.start", session_id=chat, text=f"hello from {chat}") for chat in chats])
        for tab, chats in tabs
    ]
    answers = [(tab, answer) for tab, ids in asked for answer in answers_of(tab, ids)]
    for tab, answer in answers:
        if "result" in answer:
            tab.end_of(answer["result"]["run_id"])
    refused = [answer["error"] for _, answer in answers if "error" in answer]
    odd = [error for error in refused if error.get("data", {}).get("budget") != "Group staff, tokens per month"]
    assert odd == []
    return len(answers) - len(refused), {error["message"].partition("(")[0].strip() for error in refused}


def counters(database: Database) -> tuple[int, int]:
    [(spent, reserved)] = database.run(_COUNTERS)
    return spent, reserved


def test_no_more_is_spent_than_there_is(sites: Sites, tabs: list[tuple[Tab, list[str]]]) -> None:
    database, admitted, reasons = sites[0].database, 0, set[str]()
    while "reserved" in str(reasons) or not reasons:
        number, reasons = volley(tabs)
        spent, reserved = counters(database)
        [(counted, holding)] = database.run(_LEDGER)
        admitted += number
        assert (spent, reserved, holding) == (counted, 0, 0)
        assert spent <= LIMIT
        if not number:
            break
    assert admitted > LIMIT / 1_300
    assert spent > LIMIT * 0.9


def test_what_a_killed_process_held_is_given_back(
    sites: Sites, tabs: list[tuple[Tab, list[str]]], module_provider: Provider
) -> None:
    database = sites[0].database
    database.run("UPDATE sessions_app_budget SET amount = amount + 20000")
    before, _ = counters(database)
    gate = Gate()
    module_provider.script(Answer(["abc "] * 5, gates={2: gate}))
    tab, [chat, *_] = tabs[2]
    run_id = tab.ask(chat, "is killed")
    tab.ask(chat, "waits")
    gate.stood(60)
    spent, reserved = counters(database)
    assert (spent, reserved > 2_000) == (before, True)
    sites[2].kill()
    gate.open()
    let_owners_be_silent(database)
    [(ended,)] = until(
        database, 1, "SELECT status FROM sessions_app_turn WHERE run_id = %s AND ended_at IS NOT NULL", run_id
    )
    assert ended == "interrupted"
    until(database, 1, _ALL_GIVEN_BACK)
    spent, _ = counters(database)
    [(counted, holding)] = database.run(_LEDGER)
    assert (spent, holding) == (counted, 0)
