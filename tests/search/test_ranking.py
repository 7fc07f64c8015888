"""Which hits are the best: the same on both databases, among a bounded number of the newest."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_app.conversations.search import finding, hits, search
from sessions_app.conversations.search.finding import AROUND, around
from sessions_app.conversations.search.folding import fold
from sessions_app.conversations.search.ranking import Fit, fit
from sessions_app.models import Message
from tests.search.oracle import catch_up
from tests.stamps.talk import Talk
from tests.thorough import thorough_on_postgresql

# How rare a query is: on PostgreSQL as rare as each way to find it is for.
EVERY = [thorough_on_postgresql(1), 30, 10_000]
FITS = {
    "port": Fit.WHOLE,
    "a port.": Fit.WHOLE,
    "(Port)": Fit.WHOLE,
    "reported, then port": Fit.WHOLE,
    "ports": Fit.BEGINNING,
    "reported ports": Fit.BEGINNING,
    "port_of_call": Fit.BEGINNING,
    "reported": Fit.WITHIN,
    "export": Fit.WITHIN,
    "export" + " " * AROUND + "port": Fit.WITHIN,
    "x" * AROUND + " port": Fit.WHOLE,
    "export" + " " * (AROUND - 9) + "port": Fit.BEGINNING,
}


@pytest.mark.parametrize("text", FITS)
def test_how_well_a_text_holds_a_word(text: str) -> None:
    assert fit(around(fold(text), "port"), "port") == FITS[text]


@pytest.mark.parametrize(("text", "query"), [("東京タワー", "京タ"), ("สวัสดี", "วัส"), ("cafe\u0301s", "caf")])
def test_marks_and_letters_of_other_scripts_are_words(text: str, query: str) -> None:
    assert fit(around(fold(text), fold(query)), fold(query)) < Fit.WHOLE


@pytest.mark.django_db
@pytest.mark.parametrize("settle", [lambda: None, catch_up], ids=["not indexed", "indexed"])
def test_databases_and_python_judge_the_same_text(mine: Talk, settle: Callable[[], None]) -> None:
    texts = [*FITS, "ﬁne port", "Ｐｏｒｔ ports", "é" * 3000 + "port"]
    rows = Message.objects.bulk_create(mine.message(place, text) for place, text in enumerate(texts))
    settle()
    judged = {row.pk: around(fold(row.text), "port") for row in rows}
    assert finding.newest(mine.owner_id, "port", 100) == judged


@pytest.mark.django_db
def test_the_best_are_picked_among_the_newest(mine: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "CANDIDATES", 5)
    texts = ["port", *["reported"] * 3, "ports", "export"]
    Message.objects.bulk_create(mine.message(place, text) for place, text in enumerate(texts))
    catch_up()
    assert [hit.snippet for hit in search(mine.owner_id, "port", 3)] == ["ports", "export", "reported"]


@pytest.mark.django_db
def test_many_hits_are_found_without_the_keys_of_all(mine: Talk) -> None:
    """What PostgreSQL walks: a few of the newest where many of them hold the query, and no key."""
    Message.objects.bulk_create(mine.message(place, f"a word {place}") for place in range(600))
    catch_up()
    with CaptureQueriesContext(connection) as asked:
        found = finding.newest(mine.owner_id, "word", 200)
    assert list(found) == list(Message.objects.order_by("-pk").values_list("pk", flat=True)[:200])
    by_keys = [query["sql"] for query in asked if "keys @>" in query["sql"]]
    assert by_keys == []


@pytest.mark.django_db
@pytest.mark.parametrize("every", EVERY)
def test_the_newest_are_found_however_many_hold_the_query(mine: Talk, every: int) -> None:
    Message.objects.bulk_create(
        mine.message(place, "a needle" if place % every == 0 else "hay") for place in range(1_200)
    )
    catch_up()
    needles = Message.objects.filter(text="a needle").order_by("-pk").values_list("pk", flat=True)
    assert list(finding.newest(mine.owner_id, "needle", 200)) == list(needles[:200])
    assert list(finding.newest(mine.owner_id, "needle", 20, mine.session_id)) == list(needles[:20])
