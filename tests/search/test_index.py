"""A search finds what is stored, before and after the index holds it, and whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sessions_app.conversations.search import QUERY_LENGTH, SNIPPET_LENGTH, everybody, index, search
from sessions_app.conversations.search.folding import fold
from sessions_app.database import plain
from sessions_app.models import Message
from tests.examples import fewer_on_postgresql
from tests.search.oracle import assert_invariant, catch_up, found
from tests.search.spellings import boundary, letters, spelled
from tests.stamps.talk import Talk, execute, insert
from tests.thorough import thorough_on_postgresql

pytestmark = pytest.mark.django_db

IN_A_TEST = settings(
    max_examples=fewer_on_postgresql(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def nothing() -> None:
    pass


@pytest.fixture(params=[nothing, catch_up], ids=["not indexed", "indexed"])
def settle(request: pytest.FixtureRequest) -> Callable[[], None]:
    """What happens between a write and the search."""
    way: Callable[[], None] = request.param
    return way


SPELLINGS = {
    "accent": ("café", ["cafe\u0301", "CAFÉ", "ｃａｆé"]),
    "katakana": ("ガパ", ["ｶﾞﾊﾟ", "カ\u3099ハ\u309a"]),
    "hangul": ("한국", ["\u1112\u1161\u11ab\u1100\u116e\u11a8"]),
    "ligature": ("fine", ["ﬁne", "FINE", "ﬁｎE"]),
    "superscript": ("x2", ["x²", "Ｘ２"]),
    "angstrom": ("å", ["\u212b", "A\u030a", "Å"]),
    "street": ("straße", ["STRASSE", "STRAẞE"]),
    "odysseus": ("ὀδυσσεύς", ["ὈΔΥΣΣΕΎΣ"]),
    "dotless": ("ısı", ["ısı"]),
}


@pytest.mark.parametrize("name", [name if name == "odysseus" else thorough_on_postgresql(name) for name in SPELLINGS])
def test_every_spelling_finds_every_spelling(mine: Talk, settle: Callable[[], None], name: str) -> None:
    one, others = SPELLINGS[name]
    texts = [f"xx {spelling} yy" for spelling in [one, *others]]
    for position, text in enumerate(texts):
        mine.message(position, text).save()
    settle()
    for query in [one, *others]:
        assert found(mine.owner_id, query) == texts[::-1]


def test_a_note_is_not_found(mine: Talk, settle: Callable[[], None]) -> None:
    mine.message(0, "pears and plums").save()
    note = mine.message(1, "likes pears")
    note.kind = "note"
    note.save()
    settle()
    assert found(mine.owner_id, "pears") == ["pears and plums"]
    assert len(everybody.newest("pears", 10)) == 1


def test_accents_and_the_dot_of_i_count(mine: Talk, settle: Callable[[], None]) -> None:
    for position, text in enumerate(["cafe", "cafe\u0301", "sisi", "sısı"]):
        mine.message(position, text).save()
    settle()
    assert found(mine.owner_id, "cafe") == ["cafe"]
    assert found(mine.owner_id, "CAFÉ") == ["cafe\u0301"]
    assert found(mine.owner_id, "SISI") == ["sisi"]
    assert found(mine.owner_id, "sı") == ["sısı"]


CHANGES: dict[str, Callable[[Talk], object]] = {
    "insert": lambda talk: insert(talk.values(7, "needle of a foreign program")),
    "update": lambda talk: execute("UPDATE sessions_app_message SET text = 'needle in place' WHERE position = 1"),
    "update of another column": lambda talk: execute("UPDATE sessions_app_message SET status = 'stopped'"),
    "update of the key": lambda talk: execute("UPDATE sessions_app_message SET id = id + 100000"),
    "delete": lambda talk: execute("DELETE FROM sessions_app_message WHERE position = 1"),
    "delete all": lambda talk: Message.objects.all().delete(),
    "bulk": lambda talk: Message.objects.bulk_create([talk.message(8, "needle 8"), talk.message(9, "needle 9")]),
    "upsert": lambda talk: insert(
        talk.values(1, "needle"), conflict="ON CONFLICT (branch_id, position) DO UPDATE SET text = excluded.text"
    ),
    "save": lambda talk: [message.save() for message in Message.objects.all()],  # type: ignore[func-returns-value]
    "nothing": lambda talk: insert(talk.values(1, "needle"), conflict="ON CONFLICT DO NOTHING"),
    "the session": lambda talk: talk.row.delete(),
    "the user": lambda talk: get_user_model().objects.get(pk=talk.owner_id).delete(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_search_sees_every_change_at_once(
    mine: Talk, settle: Callable[[], None], change: Callable[[Talk], object]
) -> None:
    for position in range(3):
        mine.message(position, f"a needle at {position}").save()
    catch_up()
    change(mine)
    settle()
    assert_invariant()
    stored = Message.objects.filter(text__contains="needle").order_by("-pk").values_list("text", flat=True)
    assert found(mine.owner_id, "needle") == list(stored)


def test_a_message_that_changes_hands_is_its_new_owners(mine: Talk, other: Talk, settle: Callable[[], None]) -> None:
    mine.message(0, "needle").save()
    catch_up()
    execute("UPDATE sessions_app_message SET owner_id = %s", other.owner_id)
    settle()
    assert (found(mine.owner_id, "needle"), found(other.owner_id, "needle")) == ([], ["needle"])


def test_a_change_that_is_rolled_back_leaves_nothing(mine: Talk) -> None:
    mine.message(0, "needle").save()
    catch_up()
    with transaction.atomic():
        execute("UPDATE sessions_app_message SET text = 'other'")
        catch_up()
        transaction.set_rollback(True)
    assert_invariant()
    assert not index.waiting()
    assert found(mine.owner_id, "needle") == ["needle"]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 10])
def test_the_newest_come_first_wherever_they_are_held(mine: Talk, limit: int) -> None:
    for position in range(6):
        mine.message(position, f"needle {position}").save()
    catch_up()
    Message.objects.filter(position__in=[0, 3, 4]).update(text="needle rewritten")
    Message.objects.filter(position=5).delete()
    texts = ["needle rewritten", "needle rewritten", "needle 2", "needle 1", "needle rewritten"]
    assert found(mine.owner_id, "needle", limit) == texts[:limit]


@pytest.mark.thorough_on_postgresql
def test_one_step_takes_few_changes_however_many_wait(mine: Talk) -> None:
    Message.objects.bulk_create(mine.message(position, f"number {position}") for position in range(250))
    steps = []
    while index.waiting():
        index.catch_up()
        assert_invariant()
        steps.append(len(plain.rows("SELECT id FROM hermes_search_change", [])))
    assert steps == [150, 50, 0]


def test_one_step_reads_few_long_texts(mine: Talk) -> None:
    Message.objects.bulk_create(mine.message(position, "a" * 8_000) for position in range(5))
    index.catch_up()
    assert len(plain.rows("SELECT id FROM hermes_search_change", [])) == 2
    assert found(mine.owner_id, "aaa", 9) == ["a" * 8_000] * 5


def test_many_changes_of_one_message_are_one(mine: Talk) -> None:
    mine.message(0, "before").save()
    for number in range(50):
        Message.objects.update(text=f"edited {number}")
    index.catch_up()
    assert not index.waiting()
    assert_invariant()


def test_more_unindexed_messages_than_a_page_holds(mine: Talk) -> None:
    Message.objects.bulk_create(mine.message(position, f"number {position}") for position in range(120))
    Message.objects.filter(position__gte=40).delete()
    assert found(mine.owner_id, "number 7") == ["number 7"]


def test_the_longest_queries_and_texts_of_one_letter(mine: Talk, settle: Callable[[], None]) -> None:
    long = "".join(chr(0x4E00 + number) for number in range(QUERY_LENGTH))
    for position, text in enumerate([f"x{long}y", f"x{long[:-1]}", "a", "", "\ufdfa" * QUERY_LENGTH]):
        mine.message(position, text).save()
    settle()
    assert found(mine.owner_id, long) == [f"x{long}y"]
    assert found(mine.owner_id, "A") == ["a"]
    assert found(mine.owner_id, "\ufdfa" * QUERY_LENGTH) == ["\ufdfa" * QUERY_LENGTH]


def test_all_keys_of_a_query_without_the_query(mine: Talk) -> None:
    mine.message(0, "abcd bcde").save()
    catch_up()
    assert found(mine.owner_id, "abcde") == []


# An inner transaction, rolled back: each example begins with the user and their session alone.
@IN_A_TEST
@given(
    st.data(),
    st.text(letters, max_size=30),
    st.text(letters, min_size=1, max_size=12).filter(str.strip),
    st.text(letters, max_size=30),
    st.booleans(),
)
def test_any_text_is_found_by_any_spelling(
    mine: Talk, data: st.DataObject, before: str, query: str, after: str, indexed: bool
) -> None:
    if not (boundary(before, query) and boundary(query, after)):
        after = before = ""
    text = before + data.draw(spelled(query)) + after
    with transaction.atomic():
        mine.message(0, text).save()
        if indexed:
            index.catch_up()
        (hit,) = search(mine.owner_id, data.draw(spelled(query)), 5)
        assert hit.snippet.strip("…") in text or text in hit.snippet
        assert fold(query) in fold(hit.snippet)
        transaction.set_rollback(True)


@IN_A_TEST
@given(st.text(max_size=QUERY_LENGTH), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
@example("\ud800", "")
@example("\0", "")
@example("", "a")
@example('" OR "', 'say " OR " then')
@example("%", "%s %(a)s %%")
def test_no_query_is_an_error(mine: Talk, query: str, text: str) -> None:
    with transaction.atomic():
        mine.message(0, text).save()
        unindexed = search(mine.owner_id, query, 5)
        index.catch_up()
        assert search(mine.owner_id, query, 5) == unindexed
        assert all(len(hit.snippet) <= max(SNIPPET_LENGTH, len(query) * 20) + 2 for hit in unindexed)
        transaction.set_rollback(True)


def test_the_same_words_of_others_are_never_found(mine: Talk, other: Talk, settle: Callable[[], None]) -> None:
    mine.message(0, "needle of mine").save()
    other.message(0, "needle of another").save()
    settle()
    assert found(mine.owner_id, "needle") == ["needle of mine"]
    assert found(other.owner_id, "ne") == ["needle of another"]
