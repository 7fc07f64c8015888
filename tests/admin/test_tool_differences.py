"""What a tool's definition is, and what has changed in it, as a person reads it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.admin.tool_differences import MAX_PAIRS, Piece, changed_lines, changed_words, lines_of

SCALARS = st.sampled_from(["", "1", "null", "a, b", "[a]", "a", "b", 1, None, True, "a\nb", " "]) | st.text(max_size=3)
SCHEMAS = st.dictionaries(
    st.sampled_from(["type", "properties", "enum", "items", "city"]),
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)),
    max_size=4,
)
TEXTS = st.lists(st.sampled_from(["tell", "the", "weather", " ", "\n", "of"]), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("schema", "lines"),
    [
        ({}, []),
        ({"type": "object", "properties": {}}, ["type: object", "properties: {}"]),
        ({"properties": {"city": {"type": "string"}}}, ["properties.city.type: string"]),
        ({"enum": ["C", None, 1, "1", "a, b"]}, ['enum: [C, null, 1, "1", "a, b"]']),
        ({"a.b": "null", "1": [], "": [""]}, ['"a.b": "null"', '"1": []', '"": [""]']),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, ["anyOf.1.type: string", 'anyOf.2.type: "null"']),
        ({"additionalProperties": False}, ["additionalProperties: false"]),
    ],
)
def test_a_schema_is_lines_with_the_way_to_each_value(schema: dict[str, object], lines: list[str]) -> None:
    assert lines_of(json.dumps(schema)) == lines


@given(TEXTS, TEXTS)
def test_a_difference_holds_both_texts_whole(before: str, now: str) -> None:
    pieces = changed_words(before, now)
    assert "".join(piece.text for piece in pieces if piece.change != "new") == before
    assert "".join(piece.text for piece in pieces if piece.change != "gone") == now


@settings(max_examples=40)
@given(SCHEMAS, SCHEMAS)
def test_lines_that_changed_are_shown(before: dict[str, object], now: dict[str, object]) -> None:
    old, new = (json.dumps(schema, sort_keys=True) for schema in (before, now))
    shown = changed_lines(old, new)
    assert bool(shown) == (old != new)


def test_what_is_too_long_to_compare_is_shown_as_it_was_and_is() -> None:
    before, now = ("a " * MAX_PAIRS)[:5000], ("b " * MAX_PAIRS)[:5000]
    assert changed_words(before, now) == [Piece("gone", before), Piece("new", now)]
