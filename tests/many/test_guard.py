"""The guard across real processes, by what the provider is sent: all that is stored, and read only when need be."""

from __future__ import annotations

import uuid

import pytest

from tests.databases import Database
from tests.guard.test_bytes import assert_each_extends_the_last, think_call_and_say
from tests.many.conftest import Sites
from tests.many.outside import WAITING, locked, said, until
from tests.many.tab import Tab
from tests.peers import Browser
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

FIRST = ("read", "first turn here")
KEPT = ("reused", "kept", "same stamp")

INSERT = """
INSERT INTO sessions_app_message (public_id, owner_id, chat_session_id, branch_id, position, role, text)
SELECT gen_random_uuid(), owner_id, chat_session_id, branch_id, position + 1, 'user', 'by raw SQL äöü'
FROM sessions_app_message WHERE chat_session_id = %s ORDER BY position DESC LIMIT 1
"""
UPDATE = "UPDATE sessions_app_message SET text = 'by raw SQL' WHERE chat_session_id = %s AND role = 'assistant'"
DELETE = "DELETE FROM sessions_app_message WHERE chat_session_id = %s AND role = 'assistant'"
# The count is what it was.
DELETE_AND_INSERT = """
WITH gone AS (DELETE FROM sessions_app_message WHERE chat_session_id = %s AND role = 'assistant' RETURNING *)
INSERT INTO sessions_app_message (public_id, owner_id, chat_session_id, branch_id, position, role, text)
SELECT gen_random_uuid(), owner_id, chat_session_id, branch_id, position + 10, 'user', 'by raw SQL' FROM gone
"""
GUARDS = """
SELECT guard_agent, guard_transcript, guard_reason FROM sessions_app_turn WHERE chat_session_id = %s ORDER BY id
"""


@pytest.fixture
def database(sites: Sites) -> Database:
    return sites[0].database


def sent(provider: Provider) -> list[tuple[str, str]]:
    """The conversation of the last request, without the system prompt."""
    return [(message["role"], message["content"]) for message in provider.requests[-1].json["messages"][1:]]


def is_all_that_was_stored(provider: Provider, database: Database, session_id: str) -> bool:
    """Whether the last request was what is stored, but for the answer that it brought."""
    return sent(provider) == [(role, text) for role, text, _ in said(database, session_id)][:-1]


def test_a_then_b_then_a_each_send_the_whole_and_the_same_bytes(
    a: Tab, b: Tab, provider: Provider, database: Database
) -> None:
    chat = a.new_session()
    b.open(chat)
    think_call_and_say(provider, 6)
    guards = [tab.turn(chat, f"{number} äöü \u2028") for number, tab in enumerate((a, a, b, b, a, a))]
    grown = ("reused", "read", "grew by 8 elsewhere")
    assert guards == [("built", *FIRST), KEPT, ("built", *FIRST), KEPT, grown, KEPT]
    assert database.run(GUARDS, chat) == guards
    assert len(provider.bodies) == 12
    assert_each_extends_the_last(provider.bodies)
    assert [text for role, text in sent(provider) if role != "assistant"] == [
        text for role, text, _ in said(database, chat) if role != "assistant"
    ]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (INSERT, "grew by 1 elsewhere"),
        (UPDATE, "rewritten elsewhere"),
        (DELETE, "rewritten elsewhere"),
        (DELETE_AND_INSERT, "rewritten elsewhere"),
    ],
    ids=["insert", "update", "delete", "delete-and-insert"],
)
def test_raw_sql_from_outside_is_in_the_next_request_of_each(
    a: Tab, b: Tab, provider: Provider, database: Database, sql: str, reason: str
) -> None:
    chat = a.new_session()
    b.open(chat)
    assert [tab.turn(chat) for tab in (a, b)][1][1:] == FIRST
    database.run(sql, chat)
    assert b.turn(chat) == ("reused", "read", reason)
    assert is_all_that_was_stored(provider, database, chat)
    assert b.turn(chat) == KEPT
    assert a.turn(chat)[1] == "read"
    assert is_all_that_was_stored(provider, database, chat)
    assert a.turn(chat) == KEPT


@pytest.mark.parametrize("sql", [INSERT, pytest.param(UPDATE, marks=pytest.mark.thorough)], ids=["insert", "update"])
def test_a_write_in_the_middle_of_an_answer_is_in_the_next_request(
    a: Tab, b: Tab, provider: Provider, database: Database, sql: str
) -> None:
    chat = a.new_session()
    b.open(chat)
    a.turn(chat)
    gate = Gate()
    provider.script(Answer(["ours"], gates={0: gate}))
    run_id = a.ask(chat)
    gate.stood(PATIENCE)
    database.run(sql, chat)
    b.result("session.update", session_id=chat, title="no part of the transcript")
    gate.open()
    assert a.end_of(run_id)["event"]["type"] == "RUN_FINISHED"
    assert a.turn(chat)[1] == "read"
    assert is_all_that_was_stored(provider, database, chat)
    assert a.turn(chat) == KEPT
    assert b.turn(chat)[1] == "read"
    assert is_all_that_was_stored(provider, database, chat)


def test_a_rename_elsewhere_during_a_turn_costs_no_reload(a: Tab, b: Tab, provider: Provider) -> None:
    chat = a.new_session()
    gate = Gate()
    provider.script(Answer(["x"], gates={0: gate}))
    run_id = a.ask(chat)
    gate.stood(PATIENCE)
    b.result("session.update", session_id=chat, title="renamed")
    gate.open()
    a.end_of(run_id)
    assert a.turn(chat) == KEPT


def test_a_turn_sent_to_another_process_meanwhile_runs_where_the_first_did_and_costs_no_reload(
    a: Tab, b: Tab, provider: Provider, database: Database
) -> None:
    chat = a.new_session()
    b.open(chat)
    b.turn(chat)
    gate = Gate()
    provider.script(Answer(["first"], gates={0: gate}))
    first = a.ask(chat, "one")
    gate.stood(PATIENCE)
    second = b.ask(chat, "two")
    gate.open()
    for tab in (a, b):
        assert [tab.end_of(run)["event"]["type"] for run in (first, second)] == ["RUN_FINISHED"] * 2
    # (Of a run in another process only its end is sure to come.)
    assert a.guard_of(second) == KEPT
    assert is_all_that_was_stored(provider, database, chat)
    assert b.turn(chat)[1:] == ("read", "grew by 4 elsewhere")


@pytest.mark.thorough
def test_a_session_deleted_in_admin_is_answered_by_nobody_and_the_users_others_are_kept(
    a: Tab, b: Tab, sites: Sites, provider: Provider, database: Database
) -> None:
    gone, stays = a.new_session(), a.new_session()
    b.open(gone)
    for chat in (gone, stays):
        a.turn(chat)
    b.turn(gone)
    asked = len(provider.requests)
    erase(sites, gone)
    for tab in (a, b):
        assert tab.call("turn.start", session_id=gone, text="hello")["error"]["code"] == -32001
    assert len(provider.requests) == asked
    assert a.turn(stays) == KEPT


@pytest.mark.thorough
def test_a_session_deleted_in_admin_in_the_middle_of_an_answer_is_not_written_to(
    a: Tab, sites: Sites, provider: Provider, database: Database
) -> None:
    gone, stays = a.new_session(), a.new_session()
    a.turn(stays)
    gate = Gate()
    provider.script(Answer(["ours"], gates={0: gate}))
    run_id = a.ask(gone)
    gate.stood(PATIENCE)
    erase(sites, gone)
    gate.open()
    assert a.end_of(run_id)["event"]["type"] == "RUN_ERROR"
    assert said(database, gone) == []
    assert a.turn(stays) == KEPT


def erase(sites: Sites, session_id: str) -> None:
    """Delete a session through the second site's admin."""
    browser = Browser(sites[1])
    browser.log_in("admin")
    browser.post(f"/admin/sessions_app/chatsession/{session_id}/delete/", post="yes")
    assert sites[1].database.run("SELECT 1 FROM sessions_app_chatsession WHERE id = %s", session_id) == []


def test_two_processes_begin_with_one_user_at_once_in_two_sessions(
    a: Tab, b: Tab, user: str, provider: Provider, database: Database
) -> None:
    """Neither waits for the other, and neither knows of the other's."""
    chats = a.new_session(), b.new_session()
    gates = Gate(), Gate()
    provider.script(Answer(["x"], gates={0: gates[0]}), Answer(["x"], gates={0: gates[1]}))
    with locked(database, "SELECT 1 FROM auth_user WHERE username = %s FOR UPDATE", user):
        asked = [
            tab.send("turn.start", session_id=chat, text=f"in {chat}") for tab, chat in zip((a, b), chats, strict=True)
        ]
        until(database, 2, WAITING)
    runs = [tab.result_of(request)["run_id"] for tab, request in zip((a, b), asked, strict=True)]
    for gate in gates:
        gate.stood(PATIENCE)
    for gate in gates:
        gate.open()
    for tab, chat, run_id in zip((a, b), chats, runs, strict=True):
        tab.end_of(run_id)
        assert tab.guard_of(run_id) == ("built", *FIRST)
        assert said(database, chat) == [("user", f"in {chat}", "complete"), ("assistant", "x", "complete")]
        assert tab.turn(chat) == KEPT
        assert is_all_that_was_stored(provider, database, chat)


def test_two_processes_begin_with_one_session_at_once(a: Tab, b: Tab, provider: Provider, database: Database) -> None:
    """One runs, the other waits for it and is told the first answer."""
    chat = a.new_session()
    b.open(chat)
    with locked(database, "SELECT 1 FROM sessions_app_sessionstamp WHERE chat_session_id = %s FOR UPDATE", chat):
        asked = [tab.send("turn.start", session_id=chat, text="hello") for tab in (a, b)]
        until(database, 2, WAITING)
    started = [tab.result_of(request) for tab, request in zip((a, b), asked, strict=True)]
    assert sorted(one["queued"] for one in started) == [False, True]
    for tab in (a, b):
        for one in started:
            assert tab.end_of(one["run_id"])["event"]["type"] == "RUN_FINISHED"
    assert [role for role, _, _ in said(database, chat)] == ["user", "assistant"] * 2
    assert is_all_that_was_stored(provider, database, chat)
    assert_each_extends_the_last(provider.bodies)


def test_two_processes_are_sent_one_message_at_once(a: Tab, b: Tab, provider: Provider, database: Database) -> None:
    """As by a client that was cut off and repeats what was not answered."""
    chat = a.new_session()
    b.open(chat)
    what = {"session_id": chat, "text": "once", "message_id": str(uuid.uuid4())}
    with locked(database, "SELECT 1 FROM sessions_app_sessionstamp WHERE chat_session_id = %s FOR UPDATE", chat):
        asked = [tab.send("turn.start", **what) for tab in (a, b)]
        until(database, 2, WAITING)
    runs = {tab.result_of(request)["run_id"] for tab, request in zip((a, b), asked, strict=True)}
    [run_id] = runs
    for tab in (a, b):
        tab.end_of(run_id)
    assert [text for role, text, _ in said(database, chat) if role == "user"] == ["once"]
    assert len(provider.bodies) == 1
