"""What a tool's definition is, and what has changed in it, for a person to read: all of it, so that nothing is taken
unseen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

Change = Literal["same", "gone", "new"]
_WAY = re.compile(r"[^\W\d][\w$-]*|\$[\w-]+")
_ITEM = re.compile(r"[^\s,\"\[\]{}]([^,\"\[\]\n\r]*[^\s,\"\[\]])?")
_VALUE = re.compile(r"[^\s\"\[{][^\n\r]*")
_WORDS = {"true", "false", "null", "NaN", "Infinity"}
_NUMBER = re.compile(r"-?(\d|Infinity)")
MAX_PAIRS = 4_000_000
"""Of words or lines that are compared; what is longer is shown as it was and as it is."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, or a line: as it was, gone, or new."""

    change: Change
    text: str


def lines_of(parameters: str) -> list[str]:
    """Return a schema (JSON text) as lines: one for each value in it, with the way to it."""
    schema = json.loads(parameters) if parameters else {}
    return list(_lines(schema, ""))


def changed_lines(before: str, now: str) -> list[Piece]:
    """Return what is gone and what is new between two schemas, in the order of the lines; nothing where they agree."""
    pieces = _pieces(lines_of(before), lines_of(now))
    return [piece for piece in pieces if piece.change != "same"]


def changed_words(before: str, now: str) -> list[Piece]:
    """Return a text with what is gone and what is new in it, words and spaces joined again."""
    joined: list[Piece] = []
    for piece in _pieces(re.findall(r"\s+|\S+", before), re.findall(r"\s+|\S+", now)):
        if joined and joined[-1].change == piece.change:
            joined[-1] = Piece(piece.change, joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return joined


def _lines(value: Any, way: str) -> Iterator[str]:
    """Tell values apart by their lines: two schemas have the same ones only where they are the same."""
    if isinstance(value, dict) and value:
        for name in value:
            yield from _lines(value[name], f"{way}.{_text(name, _WAY)}".removeprefix("."))
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        for number, each in enumerate(value, 1):
            yield from _lines(each, f"{way}.{number}".removeprefix("."))
    elif way or value:
        yield f"{way}: {_said(value)}"


def _said(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_text(each, _ITEM) if isinstance(each, str) else _said(each) for each in value)}]"
    return _text(value, _VALUE) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(text: str, plain: re.Pattern[str]) -> str:
    """Return a text as it is, or in quotes where it could be taken for something else."""
    is_plain = plain.fullmatch(text) and text not in _WORDS and not _NUMBER.match(text)
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _pieces(before: Sequence[str], now: Sequence[str]) -> list[Piece]:
    if len(before) * len(now) > MAX_PAIRS:
        return [*(Piece("gone", text) for text in before), *(Piece("new", text) for text in now)]
    found: list[Piece] = []
    for tag, from_, to, new_from, new_to in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if tag == "equal":
            found += [Piece("same", text) for text in before[from_:to]]
        else:
            found += [Piece("gone", text) for text in before[from_:to]]
            found += [Piece("new", text) for text in now[new_from:new_to]]
    return found
