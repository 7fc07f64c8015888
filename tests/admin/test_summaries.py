"""What an operator sees of summaries and notes in a transcript, and of the windows that they are made for."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from sessions_app.admin.profile_form import AgentProfileForm
from sessions_app.conversations import windows
from sessions_app.models import AgentProfile, Message
from tests.admin.conftest import Enter, make_session, make_turn, page_of, say, text_of
from tests.admin.test_profiles_and_tokens import filled

FORGET = "forget_window"


def summary(chat_session: Any, position: int, text: str, before: int, asked: int | None = None) -> Message:
    """A summary, as the host stores it."""
    parts = [{"kind": "summary", "before": before} | ({} if asked is None else {"asked": asked})]
    return say(chat_session, position, text, role="user", kind="summary", parts=parts)


def lines(client: Client, row: Any) -> list[str]:
    """The transcript's items."""
    return text_of(client, page_of(row)).split("<li class=")[1:]


def test_summaries_and_notes_stand_as_what_they_are(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    say(chat_session, 0, "Who are you?")
    say(chat_session, 1, "I am an assistant.")
    summary(chat_session, 2, "Who it is was **said**.", 2)
    say(chat_session, 3, "Alice likes pears.", role="user", kind="note", parts=[{"kind": "note"}])
    say(chat_session, 4, "And now?")
    summary(chat_session, 5, "All of it.", 5, asked=4)
    _, _, first, note, _, second = lines(boss, chat_session)
    assert first.startswith('"summary"')
    assert "<strong>Summary</strong>" in first
    assert "In the place of the messages before position 2." in first
    assert "no longer in force" in first
    assert "<strong>said</strong>" in first
    assert "<strong>Note to the model</strong>" in note
    assert "alice</strong>" not in first + note
    assert "before position 5, but for the one at position 4." in second
    assert ">in force</span>" in second


def test_a_summary_that_was_undone_is_not_in_force(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    say(chat_session, 0, "Who are you?")
    summary(chat_session, 1, "Asked who it is.", 1)
    summary(chat_session, 2, "", 0)
    _, first, second = lines(boss, chat_session)
    assert "no longer in force" in first
    assert "From here on the whole chat is used again." in second
    assert "in force" not in second


def test_what_a_summary_has_cost_is_named_in_the_ledger(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    spent = {"prefix_digest": "d", "input_tokens": 900, "expected_tokens": 800, "cached_tokens": 100}
    turn = make_turn(chat_session, miss="compacted", **spent)
    for address in (page_of(chat_session), page_of(turn)):
        assert "earlier messages summarised" in text_of(boss, address)


@pytest.fixture
def profile(db: None) -> AgentProfile:
    """A profile whose model nobody knows."""
    AgentProfile.default()
    return AgentProfile.objects.create(name="Terse", model="demo", system_prompt="word " * 400)


@pytest.mark.parametrize(("tokens", "is_refused"), [(0, True), (600, True), (8_000, False)])
def test_a_window_without_room_for_the_prefix_is_refused(profile: AgentProfile, tokens: int, is_refused: bool) -> None:
    form = AgentProfileForm(filled(system_prompt=profile.system_prompt, context=str(tokens)), instance=profile)
    assert list(form.errors) == ["context"] * is_refused
    profile.refresh_from_db()
    if is_refused:
        with pytest.raises(CommandError, match="--context"):
            call_command("profile", "Terse", context=tokens)
    else:
        call_command("profile", "Terse", context=tokens)
        with pytest.raises(CommandError, match="window of 8,000 tokens is too small"):
            call_command("profile", "Terse", system_prompt="word " * 8_000)
    profile.refresh_from_db()
    assert (profile.context, profile.system_prompt) == (None if is_refused else tokens, "word " * 400)


def test_the_least_window_that_is_named_is_taken(profile: AgentProfile) -> None:
    form = AgentProfileForm(filled(system_prompt=profile.system_prompt, context="1"), instance=profile)
    [sentence] = map(str, form.errors["context"])
    least = sentence.split("at least ")[1].rstrip(".").replace(",", "")
    for tokens, errors in ((int(least), []), (int(least) - 1, ["context"])):
        form = AgentProfileForm(filled(system_prompt=profile.system_prompt, context=str(tokens)), instance=profile)
        assert list(form.errors) == errors


def test_the_page_says_who_knows_the_window(boss: Client, profile: AgentProfile) -> None:
    assert "Nobody knows it." in text_of(boss, page_of(profile))
    AgentProfile.objects.filter(pk=profile.pk).update(model="anthropic:claude-sonnet-4-5")
    assert "tokens: as the list of models and prices has it." in text_of(boss, page_of(profile))
    AgentProfile.objects.filter(pk=profile.pk).update(context=9_000)
    assert "9,000 tokens: as set here." in text_of(boss, page_of(profile))


def test_what_a_refusal_has_told_can_be_forgotten(boss: Client, enter: Enter, profile: AgentProfile) -> None:
    assert FORGET not in text_of(boss, page_of(profile))
    windows.learn(profile.pk, "demo", "", 4_096)
    seen = text_of(boss, page_of(profile))
    assert "4,096 tokens: as its provider said when it refused a request" in seen
    assert FORGET in seen
    assert FORGET not in text_of(enter("view_agentprofile"), page_of(profile))
    boss.post(page_of(profile), filled(system_prompt="Be brief."))
    profile.refresh_from_db()
    assert windows.window(profile) == 4_096
    boss.post(page_of(profile), filled(system_prompt="Be brief.", forget_window="on"))
    profile.refresh_from_db()
    assert windows.window(profile) is None


def test_what_was_learnt_of_another_model_does_not_count(boss: Client, profile: AgentProfile) -> None:
    windows.learn(profile.pk, "openai-chat:local", "", 4_096)
    seen = text_of(boss, page_of(profile))
    assert "Nobody knows it." in seen
    assert FORGET not in seen


def test_what_was_learnt_at_another_address_does_not_count(boss: Client, profile: AgentProfile) -> None:
    one, other = "https://one.example.org/v1", "https://other.example.org/v1"
    AgentProfile.objects.filter(pk=profile.pk).update(model="openai-chat:local", base_url=one)
    windows.learn(profile.pk, "openai-chat:local", one, 4_096)
    assert "4,096 tokens" in text_of(boss, page_of(profile))
    AgentProfile.objects.filter(pk=profile.pk).update(base_url=other)
    assert "Nobody knows it." in text_of(boss, page_of(profile))
