"""What a provider's SDK makes of rows that are alike, learned from one of them.

Mapping and serialising a row takes the SDKs up to half a millisecond: seconds of the event loop for a long
conversation that is read again. But an element depends on its own row alone (`wire`), and most rows differ from one
another in their words only. So the words of a row are taken out and unguessable placeholders put there; what is left
is the row's *template*. The SDK makes its elements of each template once, and with a row's words in the places of the
placeholders they are the elements of that row. That is no second mapping: nothing here knows what an element is like.

Why the bytes are the same, and when the SDK is asked after all:

- Words stand in an element as JSON text, which is escaped character by character, so it does not matter what stands
  beside them. Equal words are given equal placeholders. A template whose placeholders do not all come back is not used.
- Whatever may mean something is not taken out, it remains part of the template: what is blank, and an id that does not
  name an item (`reasoning_content` names a field, `redacted_thinking` another kind of block).
- Pydantic AI rewrites what looks like a control token in words for a model that may take it for one (its profile says
  so). There, words with a character that such a token begins with are left to the SDK.
- So are messages with pictures, answers that call tools, with the calls' results, answers with several texts, rows that
  cannot be sent, and details that are more than words: a citation points to a place in the text, and is sent only if it
  is found there.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sessions_app.llm.content.codec import decode, encode
from sessions_app.llm.content.files import images_in
from sessions_app.llm.content.parts import Origin, Part, Reasoning, TextSpan
from sessions_app.llm.content.prefix import canonical
from sessions_app.llm.content.restored import digest_of, origin_of
from sessions_app.llm.content.rows import Row, calls_of, is_sendable
from sessions_app.llm.content.summaries import said_of
from sessions_app.llm.wire.splicing import dumped

if TYPE_CHECKING:
    from sessions_app.llm.live_model import LiveModel

MAX_TEMPLATES = 20
"""Learned for one transcript: a conversation has two or three; where each row has its own, nothing is gained."""

ITEMS = ("rs_", "msg_")
"""How OpenAI's ids of reasoning and messages begin: what follows is only a name."""

_SECRET = secrets.token_hex(16)
_PLACEHOLDER = re.compile(rf"{_SECRET}-(\d+)-".encode())
_TOKENS = re.compile(r"[<\[\]]")


@dataclass(frozen=True, slots=True)
class TemplatedRow:
    """A row as its `template` (JSON of the row with placeholders for words) and the `words`, in their order."""

    template: str
    words: tuple[str, ...]

    @property
    def sample(self) -> Row:
        """The row that shows what the SDK makes of the template."""
        role, text, parts = json.loads(self.template)
        return Row(role, text, decode(parts))


class _Words:
    """The words taken out of one row so far."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def take(self, word: str) -> str:
        """The placeholder for a word."""
        return f"{_SECRET}-{self.places.setdefault(word, len(self.places))}-"


_FIRST = _Words().take("")
_SAID = canonical(["user", _FIRST, None])
_ANSWERED = canonical(["assistant", _FIRST, None])


def templated(row: Row, model: str) -> TemplatedRow | None:
    """The row taken apart for a request to `model`; None if only the SDK can tell what becomes of it."""
    if not row.text.strip() or row.role == "tool" or not is_sendable(row) or images_in(row.parts):
        return None
    if row.role == "user":
        return TemplatedRow(_SAID, (said_of(row),))
    if (origin := origin_of(row, model)) is None:
        return None if calls_of(row) else TemplatedRow(_ANSWERED, (row.text,))
    return _taken_apart(row, origin)


def _taken_apart(row: Row, origin: Origin) -> TemplatedRow | None:
    words = _Words()
    text = words.take(row.text)
    parts: list[Part] = [replace(origin, digest=digest_of(text))]
    for part in row.parts:
        match part:
            case Reasoning(details=details) if _words_only(details):
                parts.append(_reasoning(part, words))
            case TextSpan(start=0, length=length, details=details) if length == len(row.text) and _words_only(details):
                parts.append(replace(part, length=len(text), id=_named(part.id, words)))
            case Origin() if part is origin:
                pass
            case _:
                return None
    return TemplatedRow(canonical(["assistant", text, encode(parts)]), tuple(words.places))


def _words_only(details: str | None) -> bool:
    return details is None or all(isinstance(value, str) for value in json.loads(details).values())


def _reasoning(part: Reasoning, words: _Words) -> Reasoning:
    text = words.take(part.text) if part.text.strip() else part.text
    signature = words.take(part.signature) if part.signature and part.signature.strip() else part.signature
    return replace(part, text=text, signature=signature, id=_named(part.id, words))


def _named(item: str | None, words: _Words) -> str | None:
    kind = next((kind for kind in ITEMS if item and item.startswith(kind) and item[len(kind) :].strip()), None)
    return item if item is None or kind is None else kind + words.take(item[len(kind) :])


class TemplateCache:
    """The templates learned while one transcript is read, for one model and prefix."""

    def __init__(self, live: LiveModel) -> None:
        self._careful = bool(live.model.profile.get("may_tokenize_special_tokens_in_content"))
        self._learned: dict[str, list[bytes]] = {}

    def unknown(self, rows: Iterable[TemplatedRow | None]) -> list[TemplatedRow]:
        """One row of each template that is still to be learned."""
        found = {row.template: row for row in rows if row is not None and row.template not in self._learned}
        return list(found.values())[: MAX_TEMPLATES - len(self._learned)]

    def learn(self, template: str, elements: Iterable[bytes]) -> None:
        """These elements are what the SDK has made of the template's sample."""
        pieces = _PLACEHOLDER.split(b",".join(elements))
        asked = set(_PLACEHOLDER.findall(template.encode()))
        self._learned[template] = pieces if set(pieces[1::2]) == asked else []

    def knows(self, row: TemplatedRow | None) -> bool:
        """Whether the elements of a row can be made without the SDK."""
        if row is None or not self._learned.get(row.template):
            return False
        return not (self._careful and any(map(_TOKENS.search, row.words)))

    def made(self, row: TemplatedRow) -> bytes:
        """The elements of a row that is known, joined by commas."""
        words = [dumped(word)[1:-1] for word in row.words]
        pieces = self._learned[row.template].copy()
        pieces[1::2] = [words[int(place)] for place in pieces[1::2]]
        return b"".join(pieces)
