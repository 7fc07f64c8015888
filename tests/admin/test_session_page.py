"""A session's page: the transcript as a conversation, the turns beside it, and the entry in admin's log."""

import uuid
from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.test import Client

from sessions_app.admin.conversation import MESSAGES_A_PAGE, page
from sessions_app.admin.log import READ
from sessions_app.models import Branch, ChatSession, Message
from tests.admin.conftest import Enter, converse, make_session, make_turn, page_of, say, text_of


def test_the_transcript_stands_in_order_with_who_speaks(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    say(chat_session, 1, "I am an assistant.")
    say(chat_session, 0, "Who are you?")
    seen = text_of(boss, page_of(chat_session))
    assert seen.index("<strong>alice</strong>") < seen.index("Who are you?")
    assert seen.index("Who are you?") < seen.index("<strong>Assistant</strong>") < seen.index("I am an assistant.")


def test_what_was_said_is_text_and_never_markup(boss: Client, alice: User) -> None:
    chat_session = make_session(alice, "<b>title</b>")
    parts = [
        {"kind": "reasoning", "text": "<i>thought</i>"},
        {"kind": "call", "id": "1", "name": "<u>tool</u>", "arguments": "<s>{}</s>"},
    ]
    say(chat_session, 1, "<script>alert(1)</script>", parts=parts)
    make_turn(chat_session, error_code="provider", error_text="<em>failed</em>")
    seen = text_of(boss, page_of(chat_session))
    for markup in ("<script>alert", "<b>title", "<i>thought", "<u>tool", "<s>{}", "<em>failed"):
        assert markup not in seen
        assert markup.replace("<", "&lt;").replace(">", "&gt;") in seen


def test_an_answer_is_shown_as_the_chat_shows_it(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    say(chat_session, 0, "What is **bold**?")
    say(chat_session, 1, "This is **bold**, [this](javascript:alert) is no link.\n\n| a |\n| --- |\n| b |")
    seen = text_of(boss, page_of(chat_session))
    assert "What is **bold**?" in seen
    assert "This is <strong>bold</strong>" in seen
    assert 'href="javascript' not in seen
    assert "<table" in seen[seen.index("This is <strong>") :]


def test_code_of_an_answer_has_the_chats_colours(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    say(chat_session, 0, "Code?")
    say(chat_session, 1, "```python\nreturn 1\n```")
    seen = text_of(boss, page_of(chat_session))
    assert '<div class="code">' in seen
    assert "sessions_app/css/code.css" in seen


def test_tool_calls_results_reasoning_and_status_are_shown(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    call = {"kind": "call", "id": "1", "name": "calculator", "arguments": '{"expression":"6*7"}'}
    thought = {"kind": "reasoning", "text": "Multiplication.", "signature": "opaque"}
    say(chat_session, 1, "", parts=[thought, call])
    say(chat_session, 2, "42", role="tool", parts=[{"kind": "result", "id": "1", "name": "calculator"}])
    say(chat_session, 3, "It is forty-", status="stopped")
    say(chat_session, 4, "It is forty-", finish="length")
    seen = text_of(boss, page_of(chat_session))
    assert "Multiplication." in seen
    assert "opaque" not in seen
    assert "Calls calculator" in seen
    assert "{&quot;expression&quot;:&quot;6*7&quot;}" in seen
    assert "<strong>Tool calculator</strong>" in seen
    assert '<span class="hermes-badge stopped">stopped</span>' in seen
    assert '<span class="hermes-badge">not whole: length</span>' in seen


def test_of_a_message_with_unknown_content_the_text_is_shown(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    say(chat_session, 1, "Hear this.", parts=[{"kind": "audio", "id": "a"}, {"kind": "reasoning", "text": "Known."}])
    say(chat_session, 2, "Of a newer release.", parts={"version": 2, "parts": []})
    seen = text_of(boss, page_of(chat_session))
    assert "Hear this." in seen
    assert "Known." in seen
    assert "Of a newer release." in seen


def test_the_turns_tell_verdict_usage_error_and_time(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    turn = make_turn(
        chat_session,
        status="failed",
        guard_transcript="read",
        guard_reason="grew by 2 elsewhere",
        input_tokens=2000,
        cached_tokens=1500,
        cache_write_tokens=123,
        output_tokens=456,
        reasoning_tokens=78,
        error_code="timeout",
        error_text="The provider was silent for 120 s.",
        started_at=datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC),
        ended_at=datetime(2026, 1, 1, 12, 2, 1, 500000, tzinfo=UTC),
    )
    say(chat_session, 0, "Hello?", turn=turn)
    seen = text_of(boss, page_of(chat_session))
    told = ["agent reused, transcript read", "grew by 2 elsewhere", "2,000", "75%", ">123<", "456", ">78<", "121.5 s"]
    for words in (*told, "timeout", "The provider was silent for 120 s.", page_of(turn)):
        assert words in seen


def test_pages_follow_each_other_without_leaving_a_message_out(alice: User) -> None:
    chat_session = make_session(alice)
    converse(chat_session, 2 * MESSAGES_A_PAGE + 50)
    Message.objects.filter(position__range=(130, 170)).delete()
    stored = list(Message.objects.order_by("position").values_list("position", flat=True))

    down: list[int] = []
    before: int | None = None
    while True:
        shown = page(chat_session, before)
        down = [line.message.position for line in shown.lines] + down
        if shown.older is None:
            break
        before = shown.older
    assert down == stored

    up: set[int] = set()
    before = shown.oldest
    while before is not None:
        shown = page(chat_session, before)
        up |= {line.message.position for line in shown.lines}
        before = shown.newer
    assert sorted(up) == stored


def test_the_page_opens_at_the_end_and_links_to_its_neighbours(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    converse(chat_session, MESSAGES_A_PAGE + 10)
    last = text_of(boss, page_of(chat_session))
    assert "word209." in last
    assert "word9." not in last
    assert "?before=10#transcript" in last
    first = text_of(boss, page_of(chat_session) + "?before=10")
    assert "word9." in first
    assert "word10." not in first
    assert f"?before={10 + MESSAGES_A_PAGE}#transcript" in first


@pytest.mark.parametrize("before", ["", "x", "-1", "1e9", "9" * 5000, "\x00", "٣x"])
def test_an_address_that_names_no_position_opens_at_the_end(boss: Client, alice: User, before: str) -> None:
    chat_session = make_session(alice)
    say(chat_session, 0, "the end")
    assert "the end" in text_of(boss, page_of(chat_session) + f"?before={before}")


def test_a_position_beyond_the_end_and_one_before_the_beginning(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    say(chat_session, 0, "the end")
    assert "the end" in text_of(boss, page_of(chat_session) + "?before=999999999999999999")
    assert "There are no messages here." in text_of(boss, page_of(chat_session) + "?before=0")


def test_the_active_branch_is_shown_and_others_are_told_of(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    for position, text in enumerate(["Tell me a joke.", "the shared answer", "Another!", "abandoned"]):
        say(chat_session, position, text)
    assert "branches" not in text_of(boss, page_of(chat_session))
    other = Branch.objects.create(
        pk=uuid.uuid4(), chat_session=chat_session, parent=chat_session.active_branch, fork_position=3
    )
    ChatSession.objects.filter(pk=chat_session.pk).update(active_branch=other)
    chat_session.refresh_from_db()
    say(chat_session, 3, "the better answer")
    seen = text_of(boss, page_of(chat_session))
    assert "the shared answer" in seen
    assert "the better answer" in seen
    assert "abandoned" not in seen
    assert "This session has 2 branches." in seen
    assert seen.count("one of 2 versions") == 1


def test_the_frozen_prefix_is_shown_even_when_it_is_none(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    assert "Tools: calculator, remember, search_chats" in text_of(boss, page_of(chat_session))
    ChatSession.objects.update(frozen_prefix="broken by hand")
    assert "broken by hand" in text_of(boss, page_of(chat_session))


def test_each_reading_is_noted_once_and_without_what_was_read(boss: Client, alice: User) -> None:
    chat_session = make_session(alice, "a secret title")
    converse(chat_session, 3)
    for _ in range(2):
        text_of(boss, page_of(chat_session))
    first, second = LogEntry.objects.order_by("pk")
    assert (first.action_flag, first.user.get_username()) == (READ, "boss")
    assert first.object_id == second.object_id == str(chat_session.pk)
    assert first.object_repr == f"{chat_session.pk} of alice"
    assert first.get_change_message() == "Read the transcript: messages at positions 0 to 2."
    assert "Read the transcript" in text_of(boss, page_of(chat_session, "history"))


def test_what_shows_no_transcript_leaves_no_entry(enter: Enter, boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    text_of(enter("view_chatsession", "view_turn"), page_of(chat_session))
    assert enter().get(page_of(chat_session)).status_code == 403
    for page_name in ("delete", "history"):
        text_of(boss, page_of(chat_session, page_name))
    assert not LogEntry.objects.exists()


def test_a_deletion_is_noted_without_the_title(boss: Client, alice: User) -> None:
    chat_session = make_session(alice, "a secret title")
    boss.post(page_of(chat_session, "delete"), {"post": "yes"})
    entry = LogEntry.objects.get()
    assert (entry.action_flag, entry.object_id) == (DELETION, str(chat_session.pk))
    assert "secret" not in entry.object_repr


def test_the_heading_names_user_and_date_and_the_title_to_readers(boss: Client, alice: User, enter: Enter) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    named, unnamed = (make_session(alice, title, created_at=at) for title in ("Nightly import", ""))
    whose = "alice · 2026-01-02 03:04:05 UTC"
    assert f"<h2>Nightly import · {whose}</h2>" in text_of(boss, page_of(named))
    assert f"<h2>{whose}</h2>" in text_of(boss, page_of(unnamed))
    seen = text_of(enter("view_chatsession"), page_of(named))
    assert f"<h2>{whose}</h2>" in seen
    assert "Nightly import" not in seen
