"""Calls that wait for a person, in two processes: both decide at once, and one is killed in the middle of a call.

Thorough: the suite asks it of two runners in one process (tests/turns/test_approvals.py), and of a kill in
tests/turns/test_killed_approval.py.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.many.conftest import Sites
from tests.many.outside import let_owners_be_silent, until
from tests.many.tab import Tab
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call

pytestmark = pytest.mark.thorough

UNKNOWN = "Nobody knows whether this call was carried out: it was begun, and what came of it was lost."
ENDED = "SELECT 1 FROM sessions_app_turn WHERE run_id = %s AND status = 'interrupted'"


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was sent, a line each."""
    return tmp_path_factory.mktemp("mails") / "mails"


@pytest.fixture(scope="module")
def sites(start_sites: Callable[..., Sites], environment: dict[str, str], mails: Path) -> Sites:
    """Two processes, whose default profile has a server of mails. The first one is killed.

    Their lease never runs out by itself: a slow machine is no dead owner.
    """
    running = start_sites(2, **environment, HERMES_TURN_LEASE="60")
    command = f"{sys.executable} -m tests.tool_servers.mail_server {mails}"
    running[0].manage("mcp_server", "mail", "--command", command, "--profiles", "Default", "--ask", "send,send_slowly")
    return running


def asked(tab: Tab, chat: str, provider: Provider, tool: str, to: str) -> str:
    """A turn that waits for a person; the approval's id."""
    provider.script(Answer(["May I?"], calls=[Call(f"mail_{tool}", f'{{"to": "{to}"}}')]))
    end = tab.end_of(tab.ask(chat))["event"]
    approval_id: str = end["outcome"]["interrupts"][0]["id"]
    return approval_id


def approving(approval_id: str, **more: Any) -> list[dict[str, Any]]:
    return [{"approval_id": approval_id, "approve": True, **more}]


def test_of_two_processes_that_decide_at_once_one_wins(a: Tab, b: Tab, provider: Provider, mails: Path) -> None:
    chat = a.new_session()
    b.open(chat)
    for number in range(3):
        approval_id = asked(a, chat, provider, "send", f"Bo {number}")
        sent = [(tab, tab.send("turn.resume", session_id=chat, decisions=approving(approval_id))) for tab in (a, b)]
        answers = [tab.answer(request_id) for tab, request_id in sent]
        [won] = [answer["result"] for answer in answers if "result" in answer]
        [lost] = [answer["error"] for answer in answers if "error" in answer]
        assert lost["code"] == -32004
        assert lost["data"]["approvals"][0]["run_id"] == won["run_id"]
        a.end_of(won["run_id"])
        b.end_of(won["run_id"])
        assert len(mails.read_text().splitlines()) == number + 1


def test_a_call_whose_process_was_killed_is_made_by_no_other(
    sites: Sites, a: Tab, b: Tab, provider: Provider, mails: Path
) -> None:
    before = mails.read_text() if mails.exists() else ""
    chat = a.new_session()
    b.open(chat)
    approval_id = asked(a, chat, provider, "send_slowly", "Al")
    run_id = a.result("turn.resume", session_id=chat, decisions=approving(approval_id, always=True))["run_id"]
    a.event(lambda event: event["run_id"] == run_id and event["event"].get("name") == "tool.progress")
    sites[0].kill()
    let_owners_be_silent(sites[1].database)
    until(sites[1].database, 1, ENDED, run_id)
    again = b.answer(b.send("turn.resume", session_id=chat, decisions=approving(approval_id)))
    assert again["error"]["data"]["approvals"][0]["run_id"] == run_id
    assert [message["text"] for message in b.open(chat)["messages"]][-1] == UNKNOWN
    b.turn(chat, "And?")
    results = [each for each in provider.requests[-1].json["messages"] if each["role"] == "tool"]
    assert [each["content"] for each in results] == [UNKNOWN]
    regenerated = b.result("turn.regenerate", session_id=chat)["run_id"]
    b.end_of(regenerated)
    assert mails.read_text() == f"{before}Al\n"
