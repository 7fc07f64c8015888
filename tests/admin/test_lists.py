"""The lists: what their rows tell, how they are searched, narrowed and turned over."""

from datetime import timedelta
from typing import get_args

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from sessions_app.admin.listing import HorizonPaginator
from sessions_app.llm.errors import Code
from sessions_app.models import AgentProfile, ApiToken, Budget, ChatSession, RetentionPolicy, Turn
from tests.admin.conftest import converse, list_of, make_session, make_sessions, make_turn, text_of


def titles(client: Client, query: str = "") -> list[str]:
    """The titles that the list of sessions shows, in order."""
    response = client.get(list_of(ChatSession, query))
    assert response.status_code == 200
    return [row.title for row in response.context["cl"].result_list]


def runs(client: Client, query: str) -> set[Turn]:
    """The turns that the list of turns shows."""
    response = client.get(list_of(Turn, query))
    assert response.status_code == 200
    return set(response.context["cl"].result_list)


def test_a_session_tells_its_counts_and_what_it_cost(boss: Client, alice: User) -> None:
    chat_session = make_session(alice, "Costly", profile=AgentProfile.objects.create(name="Terse", model="demo"))
    converse(chat_session, 40)
    seen = text_of(boss, list_of(ChatSession))
    told = {"messages": "40", "revision": "40", "input_tokens": "2,000", "output_tokens": "140", "cached": "80%"}
    for column, value in told.items():
        assert f'<td class="field-{column}">{value}</td>' in seen
    assert "demo (Terse)" in seen


def test_what_one_session_cost_is_not_another_ones(boss: Client, alice: User) -> None:
    converse(make_session(alice, "Costly"), 2)
    make_session(alice, "Free")
    rows = {row.title: row.usage for row in boss.get(list_of(ChatSession)).context["cl"].result_list}
    assert (rows["Costly"].input_tokens, rows["Free"].input_tokens) == (100, 0)


def test_sessions_come_newest_activity_first(boss: Client, alice: User) -> None:
    now = timezone.now()
    for days in (2, 0, 1):
        make_session(alice, f"{days} days ago", updated_at=now - timedelta(days=days))
    assert titles(boss) == ["0 days ago", "1 days ago", "2 days ago"]


@pytest.mark.both_databases
def test_sessions_are_found_by_title_user_and_id(boss: Client, alice: User) -> None:
    bob = User.objects.create_user("bob")
    found, _ = make_session(alice, "Holidays in Norway"), make_session(bob, "Taxes")
    assert titles(boss, "?q=norway") == ["Holidays in Norway"]
    assert titles(boss, "?q=bob") == ["Taxes"]
    assert titles(boss, f"?q={found.pk}") == ["Holidays in Norway"]
    assert titles(boss, f"?q={found.pk.hex}") == ["Holidays in Norway"]
    assert titles(boss, "?q=nothing+of+the+kind") == []


@pytest.mark.both_databases
@pytest.mark.parametrize("query", ["?q=%00", "?q=%F0%9F", "?q=%27+OR+1%3D1", "?q=%25", "?owner=x", "?owner=%00x"])
def test_strange_searches_are_answered(boss: Client, alice: User, query: str) -> None:
    make_session(alice)
    text_of(boss, list_of(ChatSession, query))
    text_of(boss, list_of(Turn, query))


def test_sessions_are_narrowed_by_user_profile_archive_and_activity(boss: Client, alice: User) -> None:
    bob, terse = User.objects.create_user("bob"), AgentProfile.objects.create(name="Terse")
    make_session(alice, "plain", updated_at=timezone.now() - timedelta(days=30))
    make_session(bob, "of bob", updated_at=timezone.now() - timedelta(days=30))
    make_session(alice, "terse", profile=terse, updated_at=timezone.now() - timedelta(days=30))
    make_session(alice, "archived", archived=True)
    assert titles(boss, f"?owner={bob.pk}") == ["of bob"]
    assert titles(boss, f"?profile__id__exact={terse.pk}") == ["terse"]
    assert titles(boss, "?archived__exact=1") == ["archived"]
    changelist = boss.get(list_of(ChatSession)).context["cl"]
    (activity,) = [spec for spec in changelist.filter_specs if spec.title == "last activity"]
    (past_week,) = [row["query_string"] for row in activity.choices(changelist) if row["display"] == "Past 7 days"]
    assert titles(boss, past_week) == ["archived"]


def test_who_a_list_is_narrowed_to_stands_beside_it(boss: Client, alice: User) -> None:
    make_session(alice)
    assert "By user" not in text_of(boss, list_of(ChatSession))
    assert "By user" in text_of(boss, list_of(ChatSession, f"?owner={alice.pk}"))
    assert len(titles(boss, "?owner=999999999999999999999")) == 1


def test_turns_are_found_by_run_id_and_user(boss: Client, alice: User) -> None:
    bob = User.objects.create_user("bob")
    first, second = make_turn(make_session(alice)), make_turn(make_session(bob))
    assert runs(boss, f"?q={first.run_id}") == {first}
    assert runs(boss, "?q=bob") == {second}
    assert runs(boss, "?q=words+of+the+user") == set()


def test_turns_are_narrowed_by_session_status_verdict_and_error(boss: Client, alice: User) -> None:
    chat_session, other = make_session(alice), make_session(alice)
    good = make_turn(chat_session)
    bad = make_turn(
        other,
        status="failed",
        guard_agent="built",
        guard_transcript="read",
        error_code="timeout",
        error_text="Silence.",
    )
    assert runs(boss, f"?chat_session={chat_session.pk}") == {good}
    assert runs(boss, f"?owner={alice.pk}") == {good, bad}
    for query in ("status__exact=failed", "guard_agent=built", "guard_transcript=read", "error_code=timeout"):
        assert runs(boss, f"?{query}") == {bad}


def test_the_filter_of_errors_knows_all_that_a_turn_ends_with(boss: Client) -> None:
    page = boss.get(list_of(Turn)).text
    for code in (*get_args(Code), "interrupted", "internal"):
        assert f'"?error_code={code}"' in page


def test_a_list_counts_to_its_horizon_and_says_so(alice: User) -> None:
    for number in range(45):
        make_session(alice, str(number))
    rows = ChatSession.objects.order_by("-updated_at")
    near, far = HorizonPaginator(rows, 2, page=1), HorizonPaginator(rows, 2, page=13)
    assert (near.count, near.said) == (23, "More than 22")
    assert (far.count, far.said) == (45, "45")
    assert len(far.page(13).object_list) == 2


def test_a_page_that_is_none_leads_back_to_the_list(boss: Client, alice: User) -> None:
    make_sessions(alice, ["one of two pages"] * 51)
    for page in ("0", "-1", "99", "9" * 30, "x", "%00"):
        assert boss.get(list_of(ChatSession, f"?p={page}"), follow=True).status_code == 200, page


def test_a_token_tells_no_more_than_whose_it_is(boss: Client, alice: User) -> None:
    token, secret = ApiToken.issue(alice, "laptop")
    seen = text_of(boss, list_of(ApiToken)) + text_of(boss, list_of(ApiToken) + f"{token.pk}/change/")
    assert "laptop" in seen
    assert "alice" in seen
    assert secret not in seen
    assert token.digest not in seen
    assert token.digest[:8] not in seen


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (RetentionPolicy, "No retention policies yet. Chats stay until their users delete them."),
        (Budget, "No budgets yet. What users spend has no bound."),
        (ApiToken, "No API tokens yet."),
    ],
)
def test_an_empty_list_says_what_that_means(boss: Client, model: type[Model], told: str) -> None:
    assert told in " ".join(text_of(boss, list_of(model)).split())


def test_a_search_that_finds_nothing_says_so(boss: Client) -> None:
    assert "0 budgets" in " ".join(text_of(boss, list_of(Budget, "?q=nobody")).split())


def test_a_short_list_is_counted(boss: Client) -> None:
    RetentionPolicy.objects.create(days=30)
    assert "1 retention policy" in " ".join(text_of(boss, list_of(RetentionPolicy)).split())
