"""Read filters and paths (RFC 7644, 3.4.2.2 and 3.5.2), by recursive descent: ``and`` binds before ``or``.

Names of attributes are in lower case, without the URN of the core schemas: SCIM's names have no case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from sessions_app.scim.errors import ScimError, bad

MAX_CHARACTERS = 10_000
MAX_DEPTH = 20
"""Parentheses and brackets within each other."""
OPERATORS = frozenset(("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"))
EXTENSION = "urn:ietf:params:scim:schemas:extension:"
_CORE = re.compile(r"urn:ietf:params:scim:schemas:core:2\.0:(user|group):", re.IGNORECASE)
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[a-z$][\w:.$-]*)"""
    r"""|(?P<part>\.[a-z$][\w$-]*)|(?P<mark>[()\[\]]))""",
    re.IGNORECASE | re.ASCII,
)

Value: TypeAlias = str | bool | float | None
"""What an attribute is compared with."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """An attribute compared with a value; the operator ``pr`` (it has one) has no value."""

    attribute: str
    operator: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class AllOf:
    """``and``."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """``or``."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """``not (…)``."""

    filter: Filter


@dataclass(frozen=True, slots=True)
class Within:
    """``attribute[…]``: one value of an attribute for which all of the filter is true."""

    attribute: str
    filter: Filter


Filter: TypeAlias = Comparison | AllOf | AnyOf | Not | Within


@dataclass(frozen=True, slots=True)
class Path:
    """What an operation of a PATCH is about: ``attribute[filter].part``; ``part`` is empty for the whole."""

    attribute: str
    filter: Filter | None = None
    part: str = ""


def parse_filter(text: str) -> Filter:
    """Return what a filter says. Raises ScimError."""
    reader = _Reader(text)
    found = reader.any_of()
    reader.expect_end()
    return found


def parse_path(text: str) -> Path:
    """Return the path of an operation. Raises ScimError."""
    try:
        name, bracket, _ = text.partition("[")
        attribute, _, part = _name_of(name.strip()).partition(".")
        if not bracket:
            return Path(_word(attribute), None, part)
        reader = _Reader(text)
        reader.next()
        found = reader.brackets()
        rest = text[reader.position :].strip()
        if part or (rest and not rest.startswith(".")):
            raise bad("invalidPath", "A path is attribute, attribute.part or attribute[filter].part.")
        return Path(_word(attribute), found, rest[1:].lower())
    except ScimError as error:
        raise bad("invalidPath", error.detail) from None


def _word(attribute: str) -> str:
    if not re.fullmatch(r"[a-z$][\w:.$-]*", attribute, re.ASCII):
        raise bad("invalidPath", "A path begins with the name of an attribute.")
    return attribute


def _name_of(word: str) -> str:
    """Return an attribute's name; one of an extension keeps its URN, and has no parts that matter here."""
    name = _CORE.sub("", word).lower()
    return name.replace(".", "-") if name.startswith(EXTENSION) else name


class _Reader:
    """Goes through the tokens of one filter. ``position`` is behind the last one that was taken."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise bad("invalidFilter", f"A filter has at most {MAX_CHARACTERS:,} characters.")
        self._text = text
        self.position = 0
        self._depth = 0
        self._ahead = self._read()

    def _read(self) -> Iterator[re.Match[str]]:
        place = 0
        while found := _TOKEN.match(self._text, place):
            place = found.end()
            yield found
        if self._text[place:].strip():
            raise bad("invalidFilter", f"The filter cannot be read from its character {place + 1} on.")

    def next(self) -> re.Match[str]:
        """Take a token. Raises ScimError where there is none."""
        if (found := next(self._ahead, None)) is None:
            raise bad("invalidFilter", "The filter ends too early.")
        self.position = found.end()
        return found

    def _take(self, *wanted: str) -> str:
        """Take the next token if it is one of these words or marks; else return an empty string."""
        found = _TOKEN.match(self._text, self.position)
        word = (found["word"] or found["mark"] or "").lower() if found else ""
        if word not in wanted:
            return ""
        self.next()
        return word

    def expect_end(self) -> None:
        """Make sure that nothing follows. Raises ScimError."""
        for found in self._ahead:
            raise bad("invalidFilter", f"The filter goes on after its end, at character {found.start() + 1}.")

    def any_of(self) -> Filter:
        """Take what stands between ``or``s."""
        found = [self._all_of()]
        while self._take("or"):
            found.append(self._all_of())
        return found[0] if len(found) == 1 else AnyOf(tuple(found))

    def _all_of(self) -> Filter:
        found = [self._one()]
        while self._take("and"):
            found.append(self._one())
        return found[0] if len(found) == 1 else AllOf(tuple(found))

    def _one(self) -> Filter:
        if self._take("not"):
            if not self._take("("):
                raise bad("invalidFilter", "After 'not' comes a filter in parentheses.")
            return Not(self._closed_by(")"))
        if self._take("("):
            return self._closed_by(")")
        if not (word := self.next()["word"]):
            raise bad("invalidFilter", "A comparison begins with the name of an attribute.")
        attribute = _name_of(word)
        if self._take("["):
            return self._within(attribute)
        return self._comparison(attribute)

    def _within(self, attribute: str) -> Filter:
        """Take what stands in brackets; as Entra asks, also ``emails[type eq "work"].value eq "…"``."""
        found = self._closed_by("]")
        ahead = _TOKEN.match(self._text, self.position)
        if ahead is None or not ahead["part"]:
            return Within(attribute, found)
        self.next()
        return Within(attribute, AllOf((found, self._comparison(ahead["part"][1:].lower()))))

    def brackets(self) -> Filter:
        """Take a filter in brackets."""
        if not self._take("["):
            raise bad("invalidFilter", "A filter in brackets is missing.")
        return self._closed_by("]")

    def _closed_by(self, mark: str) -> Filter:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise bad("invalidFilter", f"A filter has at most {MAX_DEPTH} brackets within each other.")
        found = self.any_of()
        if not self._take(mark):
            raise bad("invalidFilter", f"A {mark!r} is missing in the filter.")
        self._depth -= 1
        return found

    def _comparison(self, attribute: str) -> Comparison:
        operator = (self.next()["word"] or "").lower()
        if operator == "pr":
            return Comparison(attribute, operator)
        if operator not in OPERATORS:
            raise bad("invalidFilter", f"{operator[:20]!r} is no operator of a filter.")
        return Comparison(attribute, operator, _value_of(self.next()))


def _value_of(token: re.Match[str]) -> Value:
    if token["string"]:
        try:
            text: str = json.loads(token["string"])
        except ValueError:
            raise bad("invalidFilter", "A value in quotation marks is no JSON string.") from None
        return text
    if token["number"]:
        return float(token["number"])
    words: dict[str, Value] = {"true": True, "false": False, "null": None}
    word = (token["word"] or "").lower()
    if word not in words:
        raise bad("invalidFilter", "A value is a text in quotation marks, a number, true, false or null.")
    return words[word]
