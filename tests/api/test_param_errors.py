"""What is wrong with parameters is told in plain sentences: the parameter's name, no word of Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from sessions_app.api.decode import InvalidParams
from sessions_app.api.method_types import Params, read
from sessions_app.api.methods import METHODS
from sessions_app.api.param_errors import SENTENCES
from tests.api.test_bad_input import BAD, NEEDED, SOME_ID

OF_PYTHON = re.compile(
    r"valid|instance|Params\b|error|[Ii]nput|dict|None|True|False|expected|base64|padding|codec", re.A
)


def wrong() -> Iterator[tuple[str, str, Any]]:
    """Parameters of methods, each with the name that its sentence begins with."""
    for (method, name), values in BAD.items():
        yield from ((method, name, {**NEEDED[method], name: value}) for value in values)
    for method, needed in NEEDED.items():
        yield method, "There is a parameter", {**needed, "surprise": 1}
        yield method, "params", [SOME_ID]
        yield from ((method, name, {k: v for k, v in needed.items() if k != name}) for name in needed)


WRONG = list(wrong())


def told(method: str, params: Any) -> str:
    with pytest.raises(InvalidParams) as raised:
        read(METHODS[method].params, params)
    return raised.value.text


@pytest.mark.parametrize("method", METHODS)
def test_a_refusal_is_a_sentence_that_names_the_parameter(method: str) -> None:
    for _, name, params in (case for case in WRONG if case[0] == method):
        text = told(method, params)
        # Of several ways to say where, exactly one must be given: then it is about all of them.
        assert text.startswith((name, "params must have one of")), text
        assert text.endswith("."), text
        assert not OF_PYTHON.search(text), text


def test_each_kind_of_error_has_a_sentence_and_none_is_unused() -> None:
    kinds = set()
    for method, _, params in WRONG:
        with pytest.raises(ValidationError) as raised:
            METHODS[method].params.model_validate(params)
        kinds |= {error["type"] for error in raised.value.errors()}
    assert kinds == SENTENCES.keys()


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("session.open", {"session_id": "x"}, "session_id must be a UUID."),
        ("session.open", [SOME_ID], "params must be an object."),
        ("session.open", {}, "session_id is missing."),
        ("session.list", {"limit": 201}, "limit must be at most 200."),
        ("session.list", {"cursor": "AAAA"}, "cursor must be a next_cursor of session.list."),
        ("markdown.render", {"texts": ["t", 5]}, "texts[1] must be a string."),
        ("markdown.render", {"texts": ["t"] * 201}, "texts must have at most 200 members."),
        ("session.messages", {"session_id": SOME_ID}, "params must have one of before, after and around."),
        (
            "session.compact",
            {"session_id": SOME_ID, "text": "t", "undo": True},
            "params must not have both a text and undo: a summary is either written or undone.",
        ),
    ],
)
def test_the_sentence_says_what_is_taken(method: str, params: Any, text: str) -> None:
    assert told(method, params) == text


def test_an_error_that_no_method_raises_today_is_told_as_plainly() -> None:
    class Later(Params):
        share: float

    with pytest.raises(InvalidParams, match=r"^share is not of the kind that this method takes\.$"):
        read(Later, {"share": "much"})
