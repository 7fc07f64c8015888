"""Facts that overtake each other: none is told that a later one has made untrue."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from sessions_app.turns import news
from sessions_app.turns.hub import fact
from sessions_app.turns.news import News

CHAT, OTHER = uuid4(), uuid4()
ENTRY = {"run_id": "r", "message_id": "m", "text": "x"}


def told(*facts: tuple[str, Any], user_id: int = 1, session_id: Any = CHAT) -> list[bool]:
    """Which of the facts are news, one after the other."""
    kept = News()
    return [kept.is_news(user_id, fact(session_id, name, value)) for name, value in facts]


@pytest.mark.parametrize("end", [("message.created", {"id": "m"}), ("turn.withdrawn", ENTRY)])
def test_what_was_told_to_wait_no_more_is_not_told_to_wait(end: tuple[str, Any]) -> None:
    assert told(("turn.queued", ENTRY), end, ("turn.queued", ENTRY)) == [True, True, False]


def test_a_message_of_the_same_id_of_another_user_waits_all_the_same() -> None:
    kept = News()
    assert kept.is_news(1, fact(CHAT, "message.created", {"id": "m"}))
    assert kept.is_news(2, fact(CHAT, "turn.queued", ENTRY))


def test_a_sessions_state_is_never_told_after_a_later_one() -> None:
    states = [("session.updated", {"revision": revision}) for revision in (3, 5, 4, 5, 6)]
    assert told(*states) == [True, True, False, True, True]


def test_sessions_have_revisions_of_their_own() -> None:
    kept = News()
    assert kept.is_news(1, fact(CHAT, "session.updated", {"revision": 5}))
    assert kept.is_news(1, fact(OTHER, "session.updated", {"revision": 1}))


def test_everything_else_is_news() -> None:
    assert told(("session.deleted", str(CHAT)), ("session.created", {"revision": 0}), ("session.deleted", str(CHAT)))


def test_only_so_much_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "REMEMBERED", 2)
    recent = news.Recent()
    for key in ("a", "b", "a", "c"):
        recent.set(key)
    assert [key in recent for key in ("a", "b", "c")] == [True, False, True]
