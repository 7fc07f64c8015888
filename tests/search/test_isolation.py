"""What others wrote changes nothing in what a search does: counted, not timed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_app.conversations.search import finding, index
from sessions_app.conversations.search.folding import fold
from sessions_app.models import Message
from tests.search.oracle import catch_up, found, keys
from tests.stamps.talk import Talk
from tests.thorough import thorough_on_postgresql

pytestmark = pytest.mark.django_db

WORD = "common"
# In my texts, in all of others', in neither, of one and two letters, and parts of it that never meet in a text of mine.
QUERIES = [WORD, "m", *map(thorough_on_postgresql, ("the common word", "word common", "absent", "zq"))]
COUNTED = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")


def work(owner_id: int, query: str) -> object:
    """All rows that a search visits on PostgreSQL; on SQLite its steps, and the messages that its keys lead to."""
    if connection.vendor == "postgresql":
        return sorted(map(str, _rows_of_plan(owner_id, query)))
    leads = [pk for key, pk in keys() if key in index.keys_of_query(owner_id, fold(query))]
    return len(leads), _steps(owner_id, query)


def _steps(owner_id: int, query: str) -> int:
    """The instructions that SQLite's virtual machine runs for a search."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    with connection.cursor() as cursor:
        # All keys in one segment, of which there is otherwise one for each of the last steps.
        cursor.execute("INSERT INTO hermes_search_keys (hermes_search_keys) VALUES ('optimize')")
    finding.newest(owner_id, fold(query), 30)
    connection.connection.set_progress_handler(step, 1)
    try:
        finding.newest(owner_id, fold(query), 30)
    finally:
        connection.connection.set_progress_handler(None, 1)
    return count


def _plan(owner_id: int, query: str) -> list[dict[str, Any]]:
    """The nodes of PostgreSQL's plan for a search by keys, with what each has done."""
    params: list[Any] = [index.keys_of_query(owner_id, fold(query)), owner_id, fold(query), fold(query), 30]
    return _nodes(["off", "on"], finding._BY_KEYS, params)


def _plan_of_walk(owner_id: int, query: str) -> list[dict[str, Any]]:
    """The same for the walk through the newest messages."""
    return _nodes(["on", "off"], finding._WALKED, [fold(query), owner_id, owner_id, 500, fold(query), 30])


def _nodes(planned: list[str], sql: str, params: list[Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(finding._PLANNED, planned)
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + sql.format(within=""), params)
        (told,) = cursor.fetchone()
    nodes = [(told if isinstance(told, list) else json.loads(told))[0]["Plan"]]
    for node in nodes:
        nodes.extend(node.get("Plans", []))
    return nodes


def _rows_of_plan(owner_id: int, query: str) -> list[tuple[Any, ...]]:
    nodes = [*_plan(owner_id, query), *_plan_of_walk(owner_id, query)]
    return [(node["Node Type"], *(node.get(name, 0) for name in COUNTED)) for node in nodes]


def write(talk: Talk, count: int) -> None:
    start = Message.objects.filter(chat_session=talk.session_id).count()
    texts = ("the common word here", f"a {WORD} thing", "summer and words")
    Message.objects.bulk_create(
        talk.message(start + number, f"{texts[number % 3]} {number}") for number in range(count)
    )


@pytest.mark.parametrize("query", QUERIES)
def test_others_change_nothing_in_what_a_search_does(mine: Talk, other: Talk, query: str) -> None:
    write(other, 90)
    write(mine, 20)
    catch_up()
    before = work(mine.owner_id, query)
    texts = found(mine.owner_id, query)
    write(other, 210)
    catch_up()
    assert work(mine.owner_id, query) == before
    assert found(mine.owner_id, query) == texts


@pytest.mark.both_databases
@pytest.mark.parametrize("share", [1, 10])
def test_nor_does_what_the_planner_knows_of_them(mine: Talk, other: Talk, share: int) -> None:
    """It once took the index by id, and walked what is newest of all users."""
    write(other, 20)
    write(mine, 20 * share)
    catch_up()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE hermes_search_entry")
    before = work(mine.owner_id, "the common word")
    write(other, 210)
    catch_up()
    assert work(mine.owner_id, "the common word") == before


def test_more_of_ones_own_messages_are_more_work(mine: Talk, other: Talk) -> None:
    """Otherwise the test above would count nothing."""
    write(other, 90)
    write(mine, 20)
    catch_up()
    before = work(mine.owner_id, WORD)
    write(mine, 90)
    catch_up()
    assert work(mine.owner_id, WORD) != before


def test_what_others_have_not_indexed_is_not_read(mine: Talk, other: Talk) -> None:
    write(mine, 20)
    catch_up()
    before = _statements(mine.owner_id)
    write(other, 200)
    assert _statements(mine.owner_id) == before
    assert list(finding._unindexed(mine.owner_id)) == []
    assert len(list(finding._unindexed(other.owner_id))) == 200


def _statements(owner_id: int) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert len(found(owner_id, WORD)) == 14
    return [query["sql"] for query in asked]


def test_every_key_names_its_owner(mine: Talk, other: Talk) -> None:
    write(mine, 20)
    write(other, 20)
    catch_up()
    owners = dict(Message.objects.values_list("pk", "owner_id"))
    assert {key.partition("x")[0] == str(owners[pk]) for key, pk in keys()} == {True}


def test_the_plan_begins_with_the_owners_keys(mine: Talk, other: Talk) -> None:
    write(other, 90)
    write(mine, 20)
    catch_up()
    key = f"{mine.owner_id}x{b'com'.hex()}"
    if connection.vendor == "postgresql":
        (node,) = [node for node in _plan(mine.owner_id, WORD) if node.get("Index Name") == "hermes_search_keys"]
        assert re.match(rf"\(keys @> '\{{{key},", node["Index Cond"])
        (walk,) = [
            node for node in _plan_of_walk(mine.owner_id, WORD) if node.get("Index Name") == "hermes_search_by_age"
        ]
        # Sorted, it would read all that it may walk before the first hit.
        assert not [node for node in _plan_of_walk(mine.owner_id, WORD) if node["Node Type"] == "Sort"]
        assert walk["Index Cond"] == f"((owner_id >= {mine.owner_id}) AND (owner_id <= {mine.owner_id}))"
    else:
        params: list[Any] = [WORD, f'"{key}"', mine.owner_id, WORD, 30]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {finding._SQLITE.format(within='')}", params)
            plan = [row[-1] for row in cursor.fetchall()]
        assert re.fullmatch(r"SCAN hermes_search_keys VIRTUAL TABLE INDEX \S+", plan[0])
        assert plan[1] == "SEARCH entry USING INTEGER PRIMARY KEY (rowid=?)"
        assert not [line for line in plan if "TEMP B-TREE" in line]


@pytest.mark.parametrize("owner", [1, 12])
def test_no_key_of_one_owner_is_anothers(owner: int) -> None:
    """Neither is a beginning of it: 1 and 12, a letter that looks like a digit."""
    texts = ["2x", "x", "2", "12", "x12"]
    mine, others = (
        {key for text in texts for key in index._keys(one, text).split()} for one in (owner, owner * 10 + 2)
    )
    assert mine.isdisjoint(others)
