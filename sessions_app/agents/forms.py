"""What a provider's SDK makes of rows that are alike, learned from one of them.

Mapping and serialising a row takes the SDKs up to half a millisecond: seconds of the event loop for a long
conversation that is read again. But an element depends on its own row alone (`wire`), and most rows differ from one
another in their words only. So the words of a row are taken out and unguessable probes put in their places; what is
left is the row's *form*. The SDK makes its elements of each form once, and with a row's words in the probes' places
they are the elements of that row. That is no second mapping: nothing here knows what an element looks like.

Why the bytes are the same, and when the SDK is asked after all:

- Words stand in an element as JSON text, which is escaped character by character, so it does not matter what stands
  beside them. Equal words are given equal probes. A form whose probes do not all come back is not used.
- Whatever may mean something is not taken out, it remains part of the form: what is blank, and an id that does not
  name an item (`reasoning_content` names a field, `redacted_thinking` another kind of block).
- Pydantic AI rewrites what looks like a control token in words for a model that may take it for one (its profile says
  so). There, words with a character that such a token begins with are left to the SDK.
- So are answers that call tools, with the calls' results, answers with several texts, and details that are more than
  words: a citation points to a place in the text, and is sent only if it is found there.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .answers import digest_of, origin_of
from .history import Row, calls_of
from .prefix import canonical
from .wire.splicing import dumped

if TYPE_CHECKING:
    from .providers import LiveModel

MOST_FORMS = 20
"""Forms learned for one transcript: a conversation has two or three; where each row has its own, nothing is gained."""

ITEMS = ("rs_", "msg_")
"""How OpenAI's ids of reasoning and messages begin: what follows is only a name."""

_SECRET = secrets.token_hex(16)
_PROBE = re.compile(rf"{_SECRET}-(\d+)-".encode())
_TOKENS = re.compile(r"[<\[\]]")


@dataclass(frozen=True, slots=True)
class Taken:
    """A row as its `form` (JSON of the row with probes for words) and the `words`, in the order of the probes."""

    form: str
    words: tuple[str, ...]

    @property
    def probe(self) -> Row:
        """The row that shows what the SDK makes of the form."""
        return Row(*json.loads(self.form))


class _Words:
    """The words taken out of one row so far."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def take(self, word: str) -> str:
        """The probe for a word."""
        return f"{_SECRET}-{self.places.setdefault(word, len(self.places))}-"


_FIRST = _Words().take("")
_SAID = canonical(["user", _FIRST, None])
_ANSWERED = canonical(["assistant", _FIRST, None])


def take(row: Row, model: str) -> Taken | None:
    """The row taken apart for a request to `model`; None if only the SDK can tell what becomes of it."""
    if not row.text.strip() or row.role == "tool":
        return None
    if row.role == "user":
        return Taken(_SAID, (row.text,))
    if (origin := origin_of(row, model)) is None:
        return None if calls_of(row) else Taken(_ANSWERED, (row.text,))
    return _taken_apart(row, origin)


def _taken_apart(row: Row, origin: dict[str, Any]) -> Taken | None:
    words = _Words()
    text = words.take(row.text)
    parts: list[dict[str, Any]] = [{**origin, "digest": digest_of(text)}]
    for part in row.parts or ():
        if not _words_only(part.get("details")):
            return None
        if part["kind"] == "reasoning":
            parts.append(_reasoning(part, words))
        elif part["kind"] == "text" and (part["start"], part["length"]) == (0, len(row.text)):
            parts.append(_named({**part, "length": len(text)}, words))
        elif part is not origin:
            return None
    return Taken(canonical(["assistant", text, parts]), tuple(words.places))


def _words_only(details: str | None) -> bool:
    return details is None or all(isinstance(value, str) for value in json.loads(details).values())


def _reasoning(part: dict[str, Any], words: _Words) -> dict[str, Any]:
    said = {name: words.take(part[name]) for name in ("text", "signature") if part.get(name, "").strip()}
    return _named(part | said, words)


def _named(part: dict[str, Any], words: _Words) -> dict[str, Any]:
    item: str = part.get("id", "")
    kind = next((kind for kind in ITEMS if item.startswith(kind) and item[len(kind) :].strip()), None)
    return part if kind is None else {**part, "id": kind + words.take(item[len(kind) :])}


class Forms:
    """The forms learned while one transcript is read, for one model and prefix."""

    def __init__(self, live: LiveModel) -> None:
        self._careful = bool(live.model.profile.get("may_tokenize_special_tokens_in_content"))
        self._learned: dict[str, list[bytes]] = {}

    def unknown(self, rows: Iterable[Taken | None]) -> list[Taken]:
        """One row of each form that is still to be learned."""
        found = {row.form: row for row in rows if row is not None and row.form not in self._learned}
        return list(found.values())[: MOST_FORMS - len(self._learned)]

    def learn(self, form: str, elements: Iterable[bytes]) -> None:
        """These elements are what the SDK has made of the form's probe."""
        pieces = _PROBE.split(b",".join(elements))
        asked = set(_PROBE.findall(form.encode()))
        self._learned[form] = pieces if set(pieces[1::2]) == asked else []

    def knows(self, row: Taken | None) -> bool:
        """Whether the elements of a row can be made without the SDK."""
        if row is None or not self._learned.get(row.form):
            return False
        return not (self._careful and any(map(_TOKENS.search, row.words)))

    def made(self, row: Taken) -> bytes:
        """The elements of a row that is known, joined by commas."""
        words = [dumped(word)[1:-1] for word in row.words]
        pieces = self._learned[row.form].copy()
        pieces[1::2] = [words[int(place)] for place in pieces[1::2]]
        return b"".join(pieces)
