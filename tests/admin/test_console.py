"""The console: what runs, what failed today, seven days as a plot and as a table; and for whom."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from sessions_app.admin import plot
from sessions_app.admin.console import ROWS
from sessions_app.models import AgentProfile, ChatSession, Turn, TurnKind
from tests.admin.conftest import Enter, list_of, make_session, make_turn, page_of, run, text_of
from tests.admin.test_speed import asked_by, faults, plan_of

INDEX = "/admin/"


def fail(chat_session: ChatSession, **fields: Any) -> Turn:
    return make_turn(
        chat_session, **{"status": "failed", "error_code": "provider", "error_text": "Overloaded."} | fields
    )


def test_a_running_turn_says_whose_it_is_and_where_it_runs(boss: Client, alice: User) -> None:
    thorough = AgentProfile.objects.create(name="Thorough")
    turn = run(make_session(alice, "Nightly import", profile=thorough))
    page = text_of(boss, INDEX)
    row = re.search(rf'<tr><th scope="row"><a href="{page_of(turn)}">.*?</tr>', page)
    assert row
    for word in ("Nightly import", "alice", "Thorough", "f00dcafe<", "UTC"):
        assert word in row[0]


def test_what_failed_today_links_to_its_turn_and_to_the_lists(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    bad = fail(chat_session)
    fail(chat_session, created_at=timezone.now() - timedelta(days=1, hours=1), error_text="Of yesterday.")
    make_turn(chat_session)
    page = text_of(boss, INDEX)
    assert page_of(bad) in page
    assert "Of yesterday." not in page
    assert "of 2 turns" in page
    [link] = re.findall(r'href="([^"]+)">All failed<', page)
    assert list(boss.get(link.replace("&amp;", "&")).context["cl"].result_list) == [bad]


def test_a_title_is_no_turn_and_its_cost_counts(boss: Client, alice: User) -> None:
    row = make_session(alice)
    fail(row)
    make_turn(row, kind=TurnKind.TITLE, prefix_digest="d", input_tokens=20, cost=Decimal("1.25"))
    page = text_of(boss, INDEX)
    assert "of 1 turn" in page
    assert "$1.25 in all" in page
    assert "of 2 turns" not in page
    assert "Turns</a> <strong>1</strong>" in text_of(boss, page_of(alice))


@pytest.mark.both_databases
def test_seven_days_are_drawn_and_stand_in_a_table(boss: Client, alice: User) -> None:
    chat_session, today = make_session(alice), timezone.now()
    for days, tokens in ((0, 1_000), (6, 5_000), (7, 90_000)):
        fields = {"input_tokens": tokens, "cached_tokens": 400, "output_tokens": 10, "cost": Decimal("1.25")}
        make_turn(chat_session, prefix_digest="d", created_at=today - timedelta(days=days), **fields)
    page = text_of(boss, INDEX)
    drawings = re.findall(r'<svg class="(?:wide|narrow)" viewBox.*?</svg>', page, re.DOTALL)
    assert len(drawings) == 2
    for drawing in drawings:
        assert re.search(r'role="img" aria-label="[^"]*5 k[^"]*\$2\.50', drawing)
        assert drawing.count('<rect class="in"') == drawing.count("<circle") == 7
        assert "style" not in drawing
    rows = re.findall(r'<tr><th scope="row">(\d{4}-\d\d-\d\d)</th>(.*?)</tr>', page)
    assert [day for day, _ in rows] == [(today - timedelta(days=days)).date().isoformat() for days in range(7)]
    assert re.findall(r">([^<]+)</td>", rows[6][1]) == ["1", "5,000", "400", "10", "$1.2500"]
    assert "90,000" not in page


def test_an_empty_site_has_a_console(boss: Client) -> None:
    page = text_of(boss, INDEX)
    for sentence in ("No turn is running.", "No turn has failed today.", "of 0 turns"):
        assert sentence in page


def test_the_console_is_for_those_who_may_view_turns(enter: Enter, alice: User) -> None:
    run(make_session(alice, "a secret"))
    assert "Running now" not in text_of(enter("view_chatsession", "view_message"), INDEX)
    for staff, shown in ((enter("view_turn"), False), (enter("view_turn", "view_message"), True)):
        page = text_of(staff, INDEX)
        assert "Running now" in page
        assert ("a secret" in page) is shown


def test_nobody_but_staff_gets_there(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "/admin/login/" in client.get(INDEX)["Location"]


def test_the_console_asks_as_much_for_many_turns_as_for_none(boss: Client, alice: User) -> None:
    few = len(asked_by(boss, INDEX))
    for number in range(20):
        chat_session = make_session(alice, profile=AgentProfile.objects.create(name=str(number)))
        run(chat_session)
        fail(chat_session)
    many = asked_by(boss, INDEX)
    assert len(many) == few <= 16
    assert text_of(boss, INDEX).count('<th scope="row"><a href="/admin/sessions_app/turn/') == 2 * ROWS
    for sql, params in many:
        assert [fault for fault in faults(plan_of(sql, params)) if "sessions_app" in fault] == [], sql


def test_dates_are_written_in_one_way_with_their_zone(boss: Client, alice: User) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    chat_session = make_session(alice, updated_at=at)
    make_turn(chat_session, created_at=at)
    AgentProfile.objects.update(updated_at=at)
    User.objects.update(date_joined=at)
    pages = [list_of(ChatSession), page_of(chat_session), list_of(Turn), list_of(AgentProfile), page_of(alice)]
    for page in pages:
        assert "2026-01-02 03:04:05 UTC" in text_of(boss, page), page


@pytest.mark.parametrize(
    ("most", "tops"),
    [((0, 0, 0.0), ("1", "$1.00")), ((83, 2, 0.3), ("100", "$0.40")), ((1_200_000, 1, 70), ("2 M", "$80.00"))],
)
@pytest.mark.parametrize("frame", [plot.WIDE, plot.NARROW])
def test_the_scales_are_round(most: tuple[int, int, float], tops: tuple[str, str], frame: plot.Frame) -> None:
    drawn = plot.plot([plot.Day(date(2026, 1, 1), *most), plot.Day(date(2026, 1, 2), 0, 0, 0)], frame)
    assert (drawn.lines[-1].tokens, drawn.lines[-1].dollars) == tops
    for column in drawn.columns:
        for bar in (column.bar_in, column.bar_out):
            assert frame.left <= bar.x <= frame.right - bar.width
            assert plot.TOP <= bar.y <= plot.BOTTOM
            assert bar.y + bar.height == plot.BOTTOM
