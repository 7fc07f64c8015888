"""Sessions found by what was said, and by what their turns do; what a user has; what a profile's change leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.utils import timezone

from sessions_app.admin.log import READ
from sessions_app.conversations.search import index
from sessions_app.models import AgentProfile, ChatSession
from tests.admin.conftest import Enter, list_of, make_session, make_turn, page_of, run, say, text_of
from tests.admin.test_lists import titles
from tests.admin.test_speed import asked_by, faults, plan_of
from tests.thorough import thorough_on_postgresql


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def said(alice: User, bob: User) -> None:
    """Three chats of two users, in the index."""
    for owner, title, text in ((alice, "one", "The heron"), (alice, "two", "An egret"), (bob, "three", "Two HERONS")):
        say(make_session(owner, title), 0, text)
    assert index.catch_up()


@pytest.mark.both_databases
def test_sessions_are_found_by_what_was_said(boss: Client, said: None, alice: User) -> None:
    assert set(titles(boss, "?q=heron")) == {"one", "three"}
    assert titles(boss, f"?q=heron&owner={alice.pk}") == ["one"]
    assert titles(boss, "?q=stork") == []


@pytest.mark.both_databases
def test_what_waits_for_the_index_is_found_as_well(boss: Client, said: None, alice: User) -> None:
    say(make_session(alice, "four"), 0, "a third heron")
    assert set(titles(boss, "?q=heron")) == {"one", "three", "four"}
    assert set(titles(boss, f"?q=heron&owner={alice.pk}")) == {"one", "four"}


def test_only_readers_of_messages_find_them_so(enter: Enter, said: None) -> None:
    assert titles(enter("view_chatsession", "view_turn"), "?q=heron") == []
    assert len(titles(enter("view_chatsession", "view_message"), "?q=heron")) == 2


def test_a_search_is_noted_without_what_was_looked_for(boss: Client, said: None) -> None:
    titles(boss, "?q=heron")
    entry = LogEntry.objects.get()
    assert (entry.action_flag, entry.change_message) == (READ, "Searched in what was said.")
    assert "heron" not in entry.object_repr


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "query", ["?q=%22+OR+1", "?q=%27", *map(thorough_on_postgresql, ("?q=%25", "?q=%23", "?q=heron&owner=x"))]
)
def test_odd_searches_find_no_more_than_they_say(boss: Client, said: None, query: str) -> None:
    assert len(titles(boss, query)) <= (2 if "heron" in query else 0)


def test_a_search_asks_as_much_for_many_users_as_for_two(boss: Client, said: None) -> None:
    few = len(asked_by(boss, list_of(ChatSession, "?q=heron")))
    for number in range(40):
        say(make_session(User.objects.create_user(f"user{number}"), str(number)), 0, "heron again")
    while index.waiting():
        index.catch_up()
    many = asked_by(boss, list_of(ChatSession, "?q=heron"))
    assert len(many) == few
    assert len(titles(boss, "?q=heron")) == 42
    (asked,) = [row for row in many if "hermes_search_keys" in row[0] or "keys @>" in row[0]]
    plan = plan_of(*asked)
    assert "hermes_search_keys" in plan, plan
    assert "SCAN entry" not in plan, plan
    assert connection.vendor == "sqlite" or "Seq Scan on hermes_search_entry" not in plan, plan


def test_sessions_are_narrowed_by_their_model(boss: Client, alice: User) -> None:
    other = AgentProfile.objects.create(name="Other", model="openai-chat:local")
    make_session(alice, "usual")
    make_session(alice, "other", profile=other)
    assert titles(boss, "?model=openai-chat:local") == ["other"]
    assert titles(boss, "?model=demo") == ["usual"]
    assert len(boss.get(list_of(ChatSession, "?model=none"), follow=True).context["cl"].result_list) == 2


def test_sessions_are_narrowed_by_what_their_turns_do(boss: Client, alice: User) -> None:
    running, waiting, failed, old = (make_session(alice, title) for title in ("running", "waiting", "failed", "old"))
    run(running)
    make_turn(waiting, status="queued")
    make_turn(failed, status="interrupted")
    make_turn(old, status="failed", created_at=timezone.now() - timedelta(days=8))
    assert set(titles(boss, "?state=alive")) == {"running", "waiting"}
    assert titles(boss, "?state=failed") == ["failed"]
    for query in ("?state=alive", "?state=failed", "?model=demo"):
        for sql, params in asked_by(boss, list_of(ChatSession, query)):
            plan = plan_of(sql, params)
            assert [found for found in faults(plan) if "turn" in found] == [], sql
            # So SQLite calls the turns where they are a subquery.
            assert "SCAN U0" not in plan.splitlines(), plan


def test_what_turns_do_narrows_nothing_for_others(enter: Enter, alice: User) -> None:
    run(make_session(alice, "running"))
    make_session(alice, "idle")
    staff = enter("view_chatsession", "view_message")
    assert len(titles(staff, "?state=alive")) == 2
    assert "state=alive" not in text_of(staff, list_of(ChatSession))


def test_a_users_page_says_what_they_have(boss: Client, enter: Enter, alice: User) -> None:
    make_turn(make_session(alice), prefix_digest="d", input_tokens=1_200, cost="0.5")
    seen = text_of(boss, page_of(alice))
    for model, count in (("chatsession", 1), ("turn", 1), ("apitoken", 0)):
        assert f'href="/admin/sessions_app/{model}/?owner={alice.pk}">' in seen
        assert f"<strong>{count}</strong>" in seen
    assert "1,200 tokens in" in seen
    assert "$0.5000" in seen
    assert "What this user has" not in text_of(enter("view_user"), page_of(alice))
    assert "sessions_app/turn/?owner" not in text_of(enter("view_user", "view_chatsession"), page_of(alice))


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
def test_a_users_page_reads_no_rows_of_others(boss: Client, alice: User, bob: User) -> None:
    for owner in (alice, bob):
        make_turn(make_session(owner), prefix_digest="d")
    for sql, params in asked_by(boss, page_of(alice)):
        assert [fault for fault in faults(plan_of(sql, params)) if "sessions_app" in fault] == [], sql


def test_a_changed_profile_says_which_chats_keep_the_old_prompt(boss: Client, enter: Enter, alice: User) -> None:
    profile = AgentProfile.default()
    for _ in range(3):
        make_session(alice, profile=profile)
    form = {"name": "Default", "is_default": "on", "tools": profile.tools}
    kept = "3 chat sessions keep the system prompt and tools of before."
    link = page_of(profile, "apply")
    answer = boss.post(page_of(profile), form | {"system_prompt": "Be brief."}, follow=True).text
    assert kept in answer
    assert f'<a href="{link}">Apply the profile as it is now…</a>' in answer
    staff = enter("change_agentprofile", "view_chatsession")
    answer = staff.post(page_of(profile), form | {"system_prompt": "Be long."}, follow=True).text
    assert kept in answer
    assert link not in answer
    unseen = enter("change_agentprofile").post(page_of(profile), form | {"system_prompt": "Be."}, follow=True).text
    assert "keep the system prompt" not in unseen


def test_rights_and_groups_are_boxes_to_tick(boss: Client, alice: User) -> None:
    readers, view = Group.objects.create(name="Readers"), Permission.objects.get(codename="view_turn")
    page = text_of(boss, page_of(alice))
    assert f'type="checkbox" name="groups" value="{readers.pk}"' in page
    form = {"username": "alice", "is_active": "on", "groups": [readers.pk], "user_permissions": [view.pk]}
    assert boss.post(page_of(alice), form).status_code == 302
    assert alice.groups.get() == readers
    assert alice.user_permissions.get() == view
