"""The ledger: what a turn's row says, and what the page of sums says of a period."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.admin.spending_csv import COLUMNS
from sessions_app.conversations.spending import Totals, by_cause, postings
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.usage import Usage
from sessions_app.models import AgentProfile, ChatSession, Turn, TurnKind
from tests.admin.conftest import Enter, list_of, make_session, make_turn, page_of, text_of

LEDGER = reverse("admin:sessions_app_turn_ledger")
CSV = reverse("admin:sessions_app_turn_spending")
HIT: dict[str, Any] = {
    "prefix_digest": "d" * 32,
    "input_tokens": 1000,
    "cached_tokens": 900,
    "cache_write_tokens": 60,
    "output_tokens": 50,
    "reasoning_tokens": 20,
    "expected_tokens": 900,
    "cost": Decimal("0.25"),
    "saved": Decimal("1.5"),
}
EVICTED = HIT | {"cached_tokens": 100, "miss": Cause.EVICTED, "cost": Decimal("0.75"), "saved": Decimal("-0.5")}
UNPRICED = HIT | {"cost": None, "saved": None}


@pytest.fixture
def chat_session(alice: User) -> ChatSession:
    return make_session(alice)


def tables(client: Client, query: str = "") -> dict[str, dict[str, list[str]]]:
    """The page's tables by what their rows are sums of, each row by its name, and the sum."""
    response = client.get(LEDGER + query)
    assert response.status_code == 200
    return {
        table.key: {row.name: row.cells for row in table.rows} | {"Total": table.total}
        for table in response.context["tables"]
    }


def test_a_turn_tells_expectation_miss_and_money(boss: Client, chat_session: ChatSession) -> None:
    turn = make_turn(chat_session, **EVICTED)
    seen = text_of(boss, list_of(Turn))
    told = {"expected": "900", "cached": "10%", "missed_by": "provider evicted it"}
    for column, value in (told | {"paid": "$0.750000", "saved_by_cache": "-$0.500000"}).items():
        assert f'<td class="field-{column}">{value}</td>' in seen
    page = text_of(boss, page_of(turn))
    for words in ("provider evicted it", "$0.750000", "-$0.500000", "d" * 32):
        assert words in page


@pytest.mark.parametrize(
    ("seconds", "words"), [(3600, "60 minutes"), (300, "5 minutes"), (0, "not at all"), (None, "-")]
)
def test_a_turn_tells_for_how_long_its_prompt_was_to_be_kept(
    boss: Client, chat_session: ChatSession, seconds: int | None, words: str
) -> None:
    page = text_of(boss, page_of(make_turn(chat_session, retention=seconds, retention_reason="pauses above a day")))
    assert re.search(rf'field-kept_for">.*?<div class="readonly">{words}</div>', page, re.DOTALL)
    assert "pauses above a day" in page


def test_a_turn_shows_what_the_provider_says_itself(boss: Client, chat_session: ChatSession) -> None:
    for told, words in (("tools_changed", "tools changed"), ("", "-")):
        page = text_of(boss, page_of(make_turn(chat_session, told_miss=told)))
        assert re.search(rf'field-told">.*?<div class="readonly">{words}</div>', page, re.DOTALL)


def test_what_is_not_known_is_a_dash(boss: Client, chat_session: ChatSession) -> None:
    make_turn(chat_session)
    seen = text_of(boss, list_of(Turn))
    for column in ("expected", "missed_by", "paid", "saved_by_cache"):
        assert f'<td class="field-{column}">-</td>' in seen


def test_a_status_names_the_error_it_ended_with(boss: Client, chat_session: ChatSession) -> None:
    make_turn(chat_session, status="failed", error_code="timeout")
    assert '<td class="field-ended_as">Failed: timeout</td>' in text_of(boss, list_of(Turn))


def test_turns_are_narrowed_by_cause_and_profile(boss: Client, alice: User, chat_session: ChatSession) -> None:
    terse = AgentProfile.objects.create(name="Terse")
    hit, missed = make_turn(chat_session, **HIT), make_turn(make_session(alice, profile=terse), **EVICTED)
    uncounted = make_turn(chat_session)

    def runs(query: str) -> set[Turn]:
        return set(boss.get(list_of(Turn, query)).context["cl"].result_list)

    assert runs("?miss=evicted") == {missed}
    assert runs("?miss=none") == {hit}
    assert runs("?miss=nonsense") == set()
    assert runs(f"?chat_session__profile={terse.pk}") == {missed}
    assert runs("?") == {hit, missed, uncounted}


@pytest.mark.both_databases
def test_sums_are_those_of_the_rows(chat_session: ChatSession) -> None:
    for fields in (HIT, UNPRICED, EVICTED):
        make_turn(chat_session, **fields)
    make_turn(chat_session)
    hits = Totals(2, 1800, 0, Usage(2000, 1800, 120, 100, 40), Decimal("0.25"), Decimal("1.5"), 1, 1)
    evicted = Totals(1, 900, 800, Usage(1000, 100, 60, 50, 20), Decimal("0.75"), Decimal("-0.5"), 1, 0)
    assert by_cause(chat_session.turns.all()) == {None: hits, Cause.EVICTED: evicted}
    found = {posting.cause: posting.totals for posting in postings(timezone.now() - timedelta(days=1))}
    assert found == {None: hits, Cause.EVICTED: evicted}


@pytest.mark.both_databases
def test_a_turn_that_found_more_than_expected_makes_up_for_no_other(chat_session: ChatSession) -> None:
    make_turn(chat_session, **EVICTED)
    make_turn(chat_session, **EVICTED | {"cached_tokens": 1000, "expected_tokens": 0})
    assert by_cause(chat_session.turns.all())[Cause.EVICTED].missed == 800


@pytest.mark.both_databases
def test_days_are_those_of_the_sites_time_zone(chat_session: ChatSession) -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    make_turn(chat_session, **HIT, created_at=late)
    for zone, day in (("UTC", 1), ("Europe/Berlin", 2)):
        with timezone.override(zone):
            assert [posting.day.day for posting in postings(late)] == [day]


def test_the_page_tells_days_profiles_and_causes(boss: Client, alice: User, chat_session: ChatSession) -> None:
    terse, today = AgentProfile.objects.create(name="Terse"), timezone.localdate()
    make_turn(chat_session, **HIT)
    make_turn(chat_session, **UNPRICED, created_at=timezone.now() - timedelta(days=1))
    make_turn(make_session(alice, profile=terse), **EVICTED)
    found = tables(boss)
    hit = ["1", "40", "60", "900", "90%", "50", "0"]
    evicted = ["1", "840", "60", "100", "10%", "50", "800", "$0.7500", "-$0.5000", "0"]
    everything = ["3", "920", "180", "1,900", "63%", "150", "800", "$1.0000", "$1.0000", "1"]
    both = ["2", "880", "120", "1,000", "50%", "100", "800", "$1.0000", "$1.0000", "0"]
    yesterday = [*hit, "-", "-", "1"]
    assert found["Day"] == {
        today.isoformat(): both,
        (today - timedelta(days=1)).isoformat(): yesterday,
        "Total": everything,
    }
    default = ["2", "80", "120", "1,800", "90%", "100", "0", "$0.2500", "$1.5000", "1"]
    assert found["Profile"] == {"Default": default, "Terse": evicted, "Total": everything}
    assert found["Cause"] == {
        "Provider evicted it": ["1", "800"],
        "None: found as expected": ["2", "0"],
        "Total": ["3", "800"],
    }
    assert tables(boss, f"?profile={terse.pk}")["Profile"] == {"Terse": evicted, "Total": evicted}


@pytest.mark.parametrize("days", [7, 30, 90])
def test_a_period_begins_with_its_first_day(boss: Client, chat_session: ChatSession, days: int) -> None:
    first = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    make_turn(chat_session, **HIT, created_at=first)
    make_turn(chat_session, **HIT, created_at=first - timedelta(seconds=1))
    assert list(tables(boss, f"?days={days}")["Day"]) == [first.date().isoformat(), "Total"]


def test_a_cause_leads_to_its_turns_of_the_period_and_profile(boss: Client, alice: User) -> None:
    terse = AgentProfile.objects.create(name="Terse")
    here, elsewhere = make_session(alice, profile=terse), make_session(alice)
    for fields in (HIT, EVICTED):
        make_turn(elsewhere, **fields)
        make_turn(here, **fields, created_at=timezone.now() - timedelta(days=20))
    expected = {make_turn(here, **fields).miss or "none": fields for fields in (HIT, EVICTED)}
    table = boss.get(f"{LEDGER}?days=7&profile={terse.pk}").context["tables"][0]
    assert len(table.rows) == len(expected)
    for row in table.rows:
        (turn,) = boss.get(row.link).context["cl"].result_list
        assert (turn.chat_session, row.cells[0]) == (here, "1")


def test_a_miss_of_the_hosts_own_is_called_a_bug(boss: Client, chat_session: ChatSession) -> None:
    make_turn(chat_session, **EVICTED)
    assert "a bug of Hermes Site" not in text_of(boss, LEDGER)
    make_turn(chat_session, **EVICTED | {"miss": Cause.HOST})
    response = boss.get(LEDGER)
    assert "The host sent other bytes: this is a bug of Hermes Site." in response.content.decode()
    (turn,) = boss.get(response.context["host_link"]).context["cl"].result_list
    assert turn.miss == Cause.HOST


def test_a_period_without_turns_says_so(boss: Client, chat_session: ChatSession) -> None:
    make_turn(chat_session)
    assert "No turn of this period has been counted by a provider." in text_of(boss, LEDGER)


@pytest.mark.parametrize(
    "query", ["?days=8", "?days=%00", "?days=", "?profile=999999999", "?profile=%00", f"?profile={9**30}"]
)
def test_a_choice_that_is_none_is_refused_in_words(boss: Client, chat_session: ChatSession, query: str) -> None:
    make_turn(chat_session, **HIT)
    response = boss.get(LEDGER + query)
    assert "errorlist" in response.content.decode()
    assert "tables" not in response.context


def test_the_ledger_is_for_those_who_may_see_turns(enter: Enter, client: Client, alice: User) -> None:
    assert "/login/" in client.get(LEDGER).headers["Location"]
    client.force_login(alice)
    assert "/login/" in client.get(LEDGER).headers["Location"]
    assert enter("view_chatsession", "view_agentprofile").get(LEDGER).status_code == 403
    for right in ("view_turn", "change_turn"):
        assert enter(right).get(LEDGER).status_code == 200


def test_the_ledger_is_found_from_the_overview_and_the_turns(boss: Client, enter: Enter) -> None:
    for address in ("/admin/", "/admin/sessions_app/", list_of(Turn)):
        assert f'href="{LEDGER}"' in text_of(boss, address)
    assert LEDGER not in text_of(enter("view_chatsession"), "/admin/")


def test_a_session_tells_its_money_and_misses(boss: Client, chat_session: ChatSession) -> None:
    for fields in (HIT, UNPRICED, EVICTED, EVICTED):
        make_turn(chat_session, **fields)
    seen = text_of(boss, page_of(chat_session))
    for words in ("$1.7500", "$0.5000", "provider evicted it: 2 turns, 1,600 tokens"):
        assert words in seen
    unknown = text_of(boss, page_of(make_session(chat_session.owner)))
    assert "$" not in unknown


def test_titles_have_a_line_of_their_own(boss: Client, chat_session: ChatSession) -> None:
    make_turn(chat_session, **HIT)
    make_turn(chat_session, kind=TurnKind.TITLE, **HIT)
    profiles = tables(boss)["Profile"]
    turns, *figures = profiles[str(chat_session.profile)]
    assert turns == "1"
    assert profiles["Titles (HERMES_TITLE_MODEL)"] == ["0", *figures]
    assert profiles["Total"][0] == "1"
    assert "Titles (HERMES_TITLE_MODEL)" not in tables(boss, f"?profile={chat_session.profile_id}")["Profile"]


def test_users_are_listed_by_what_they_spend_and_one_can_be_chosen(
    boss: Client, alice: User, chat_session: ChatSession
) -> None:
    bob = User.objects.create_user("bob")
    make_turn(chat_session, **HIT)
    make_turn(make_session(bob), **EVICTED | {"input_tokens": 5_000})
    users = tables(boss)["User"]
    assert list(users) == ["bob", "alice", "Total"]
    page = boss.get(f"{LEDGER}?user=alice")
    assert [table.key for table in page.context["tables"]] == ["Cause", "Profile", "Day"]
    assert "spending.csv?days=30&amp;user=alice" in page.content.decode()
    assert tables(boss, "?user=alice")["Profile"]["Total"][0] == "1"
    assert len(page.context["plots"][0].columns) == 30
    assert sum(column.is_named for column in page.context["plots"][0].columns) <= 7
    assert "There is no user of this name." in boss.get(f"{LEDGER}?user=nobody").content.decode()


def streamed(response: Any) -> str:
    """What an answer that is made piece by piece has in all."""

    async def read() -> bytes:
        return b"".join([piece async for piece in response.streaming_content])

    return async_to_sync(read)().decode()


def test_spending_is_downloaded_as_csv_that_no_spreadsheet_takes_for_formulas(boss: Client) -> None:
    """Streamed a day at a time; with what budgets were charged by an estimate."""

    eve, other = User.objects.create_user("+eve"), User.objects.create_user("other")
    profile = AgentProfile.objects.create(name='=HYPERLINK("http://x","y")')
    chat = make_session(eve, profile=profile)
    make_turn(chat, **HIT)
    make_turn(chat, **HIT)
    make_turn(chat, kind=TurnKind.TITLE, **UNPRICED)
    make_turn(make_session(other), uncounted_tokens=70, uncounted_cost=Decimal("0.5"))
    Turn.objects.filter(owner=other).update(created_at=timezone.now() - timedelta(days=3))
    page = boss.get(CSV)
    assert (page.status_code, page["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert page["Content-Disposition"].startswith("attachment; ")
    read = csv.DictReader(StringIO(streamed(page)))
    assert read.fieldnames == list(COLUMNS)
    rows = list(read)
    day = timezone.localdate()
    assert [(row["day"], row["user"], row["beside"], row["turns"]) for row in rows] == [
        (str(day - timedelta(days=3)), "other", "", "1"),
        (str(day), "'+eve", "", "2"),
        (str(day), "'+eve", "title", "0"),
    ]
    assert rows[1]["profile"] == '\'=HYPERLINK("http://x","y")'
    assert (rows[1]["input_tokens"], float(rows[1]["usd"]), rows[1]["without_price"]) == ("2000", 0.5, "0")
    assert (rows[2]["without_price"], rows[0]["estimated_tokens"], float(rows[0]["estimated_usd"])) == ("1", "70", 0.5)
    one = boss.get(f"{CSV}?days=7&user=other")
    assert streamed(one).count("\r\n") == 2


def test_spending_is_for_who_may_see_turns(enter: Enter, boss: Client) -> None:
    assert enter("view_budget").get(CSV).status_code == 403
    assert "There is no user of this name." in boss.get(f"{CSV}?user=nobody").content.decode()
