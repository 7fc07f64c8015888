"""The evidence of a small run in which all went well, for tests of the checks to break in one place."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from sessions_app.llm.tools.registry import site_tools
from tests.chaos.doings import Doings, Sent
from tests.chaos.evidence import Evidence, Seen, StoredBranch, StoredMessage, StoredTurn
from tests.chaos.provider import Request
from tests.chaos.view import Shown

CHAT = "00000000-0000-4000-8000-000000000000"
START = datetime(2026, 1, 1, tzinfo=UTC)


def shown(messages: list[StoredMessage]) -> Shown:
    return Shown(tuple((m.id, m.role, m.text, m.status) for m in messages), None, ())


def good() -> Evidence:
    """Two turns of one session, the second stopped after its first word, and a third that was withdrawn.

    Then another answer to the second text, and the first text edited, each in a branch of its own.
    """
    texts, statuses = ["one", "two", "three"], ["complete", "stopped", "withdrawn"]
    main = StoredBranch("main", CHAT, None, 0)
    again, edited = StoredBranch("again", CHAT, "main", 3), StoredBranch("edited", CHAT, "main", 0)
    sent = [Sent("user0", CHAT, f"m{index}", text, f"run{index}") for index, text in enumerate(texts)]
    turns = [
        StoredTurn(
            f"run{index}", CHAT, f"m{index}", texts[index], status, True, "",
            START + timedelta(seconds=index) if index < 2 else None, START + timedelta(seconds=index + 1),
        )
        for index, status in enumerate(statuses)
    ]  # fmt: skip
    later = [START + timedelta(seconds=second) for second in (3, 4, 5)]
    turns.append(StoredTurn("run3", CHAT, "m1", "two", "complete", True, "", later[0], later[1], "regeneration"))
    turns.append(StoredTurn("run4", CHAT, "m4", "One?", "complete", True, "", later[1], later[2], "edit"))
    sent.append(Sent("user0", CHAT, "m4", "One?", "run4"))
    messages = [
        StoredMessage("m0", CHAT, "run0", 0, "user", "one", "complete", None, "main"),
        StoredMessage("a0", CHAT, "run0", 1, "assistant", "r0w0 r0w1 ", "complete", None, "main"),
        StoredMessage("m1", CHAT, "run1", 2, "user", "two", "complete", None, "main"),
        StoredMessage("a1", CHAT, "run1", 3, "assistant", "r1w0 ", "stopped", None, "main"),
        StoredMessage("a3", CHAT, "run3", 3, "assistant", "r2w0 ", "complete", None, "again"),
        StoredMessage("m4", CHAT, "run4", 0, "user", "One?", "complete", None, "edited"),
        StoredMessage("a4", CHAT, "run4", 1, "assistant", "r3w0 ", "complete", None, "edited"),
    ]
    requests = [
        Request(0, {}, "one", ["r0w0 ", "r0w1 "], None, [], whole=True),
        Request(1, {}, "two", ["r1w0 ", "r1w1 "], None, []),
        Request(2, {}, "two", ["r2w0 "], None, [], whole=True),
        Request(3, {}, "One?", ["r3w0 "], None, [], whole=True),
    ]
    doings = Doings(sent=sent, stop_asked={"run1", "run2"}, regenerations=Counter({CHAT: 1}))
    seen = [Seen("tab 0", CHAT, shown(messages[-2:]), shown(messages[-2:]))]
    prefixes = {CHAT: site_tools().freeze("Be good.", []).to_json()}
    branches = {branch.id: branch for branch in (main, again, edited)}
    return Evidence(doings, turns, messages, prefixes, {CHAT: 7}, requests, branches, seen)
