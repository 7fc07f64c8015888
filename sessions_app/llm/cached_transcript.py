"""One session's transcript in memory: what the next request will be made of, most of it already serialised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from sessions_app.llm.cache_ledger.requests import Compared, RequestRecord, prompt_digest, tools_digest
from sessions_app.llm.cache_ledger.rolling_digest import Mark, RollingDigest
from sessions_app.llm.content.codec import encode
from sessions_app.llm.content.files import IMAGE_BYTES, ImageSource, images_in, name_of, names_in, without_images
from sessions_app.llm.content.history import body_of, head_of, opening_of
from sessions_app.llm.content.parts import Parts, Summary
from sessions_app.llm.content.prefix import FrozenPrefix, canonical
from sessions_app.llm.content.restored import sent_parts
from sessions_app.llm.content.rows import Row, counts
from sessions_app.llm.content.summaries import summary_of
from sessions_app.llm.endpoint import Endpoint
from sessions_app.llm.grouping import Group, sections_of
from sessions_app.llm.kept_elements import KeptElements
from sessions_app.llm.wire.splicing import MARKER

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage

INLINE_ROWS = 10
"""Rows that a request serialises itself; if more wait, most of them are serialised ahead of it, in slices."""

ROW_BYTES = 450
"""Bytes of a row or a message kept as an object, besides its text (measured)."""

DIGEST_BYTES = 16
"""Bytes that are remembered of each row: the digest of what was stored."""


class CachedTranscript:
    """One session in memory: frozen prefix, model string, serialised elements, rows not serialised yet.

    Everything said so far must have been appended, in order, after it was stored. Not for two steps at once. For a
    model whose wire is not known, the messages are kept as objects instead of elements.

    Where the model does not see pictures (`sees_images`), it is told their names in their place.

    `endpoint` is where the model answers, if not where the environment says: no byte depends on it, so it may change.
    `sampling` is what the turn wants of its requests (`llm.sampling`), beside the conversation. `images` is where its
    pictures come from: it holds only their names.
    For the ledger: `last` is the session's last request to a provider, by whichever process, and `applied` the digest
    of a prefix that was applied to it; before the first request `user_pauses` are those of the user's earlier sessions
    (`cache_clock`). All five are set again before each turn. `prompt` and `tools` are the digests of the frozen prefix,
    and `frozen` is its canonical JSON. `summary` is the digest of the summary that it begins with, empty for none, and
    `covered` what that stands in the place of.
    """

    def __init__(
        self,
        session_id: str,
        prefix: FrozenPrefix,
        model: str,
        rows: Iterable[Row] = (),
        *,
        last: RequestRecord | None = None,
        sees_images: bool = True,
    ) -> None:
        self.session_id = session_id
        self.prefix, self.frozen = prefix, prefix.to_json()
        self.prompt, self.tools = prompt_digest(prefix), tools_digest(prefix)
        self.model, self.sees_images = model, sees_images
        self.last = last
        self.applied = ""
        self.user_pauses: tuple[float, ...] = ()
        self.endpoint: Endpoint | None = None
        self.sampling: object = None
        self.images: ImageSource | None = None
        self.summary = ""
        self.covered: Summary | None = None
        self._summary_position = -1
        self._said_rows = RollingDigest(last.rows if last else None)
        self._said_bytes = RollingDigest(last.wire if last else None)
        self._row_digests = bytearray()
        self._rows: list[Row] = []
        self._began = False
        self._elements = KeptElements()
        self._messages: list[ModelMessage] = []
        self._waiting_bytes = self._message_bytes = 0
        self._waiting_length = self._message_length = 0
        for row in rows:
            self.append(row)

    @property
    def size(self) -> int:
        """Bytes it holds, about."""
        digests = self._said_rows.size + self._said_bytes.size + len(self._row_digests)
        rows = self._elements.size + self._message_bytes + self._waiting_bytes
        return len(self.prefix.prompt) + rows + digests

    @property
    def length(self) -> int:
        """Bytes of its prompt, about: of prefix, elements and rows, as they are sent."""
        return len(self.frozen) + self._elements.length + self._message_length + self._waiting_length

    @property
    def elements(self) -> bytes:
        """The serialised elements, joined by commas."""
        return self._elements.joined()

    @property
    def asked_bytes(self) -> int:
        """Bytes of the texts that the next request adds behind the last answer."""
        asked = takewhile(lambda row: row.role != "assistant", reversed(self._rows))
        return sum(len(row.text.encode()) for row in asked)

    def continues(self, last: RequestRecord) -> bool:
        """Tell whether the next request begins with all that was sent in an earlier one, as far as its rows say."""
        prefix = (self.prompt, self.tools) == (last.prompt, last.tools)
        return prefix and self._said_rows.extends(last.rows)

    def append(self, row: Row) -> None:
        """Take in a row that has just been stored at the end of the branch."""
        if not self.sees_images:
            text, parts = without_images(row.text, row.parts)
            row = replace(row, text=text, parts=parts)
        opening = [] if self._began else opening_of([row])
        self._began = self._began or counts(row)
        if covered := summary_of(row):
            self.summary, self.covered, self._summary_position = _digest(row).hex(), covered, row.position
        for waiting in (*(replace(line, position=row.position) for line in opening), row):
            self._rows.append(waiting)
            self._waiting_bytes += _weight(waiting)
            self._waiting_length += self._sent_bytes(waiting)
            self._row_digests += (digest := _digest(waiting))
            self._said_rows.feed([digest])

    def truncate(self, position: int) -> bool:
        """Cut to a fork position: hold exactly the rows before `position`, and be as if no other had ever come.

        False, and nothing is cut, where that cannot be done: amid an answer that called tools, before the summary
        (what it stands in the place of is not here), and where messages are kept as objects. Then the transcript must
        be read again.
        """
        if self._messages or position <= self._summary_position or (kept := self._elements.cut(position)) is None:
            return False
        self._rows = [row for row in self._rows if row.position < position]
        self._waiting_bytes = sum(map(_weight, self._rows))
        self._waiting_length = sum(map(self._sent_bytes, self._rows))
        del self._row_digests[DIGEST_BYTES * (kept + len(self._rows)) :]
        self._began = bool(self._elements) or any(map(counts, self._rows))
        places = range(0, len(self._row_digests), DIGEST_BYTES)
        digests = [bytes(self._row_digests[place : place + DIGEST_BYTES]) for place in places]
        self._said_rows.return_to(digests, self.last.rows if self.last else None)
        self._said_bytes.return_to([self.elements] if self._elements else [], self.last.wire if self.last else None)
        return True

    def beginning(self, position: int | None) -> CachedTranscript | None:
        """A copy of what comes before `position`, to make another request of; of all of it without one.

        None where it cannot be cut there (see `truncate`).
        """
        if self._messages:
            return None
        other = CachedTranscript(self.session_id, self.prefix, self.model, last=self.last, sees_images=self.sees_images)
        other.applied, other.endpoint, other.user_pauses = self.applied, self.endpoint, self.user_pauses
        other.images = self.images
        other.summary, other.covered, other._summary_position = self.summary, self.covered, self._summary_position
        other._said_rows, other._said_bytes = self._said_rows.copy(), self._said_bytes.copy()
        other._row_digests, other._began = self._row_digests.copy(), self._began
        other._elements, other._rows = self._elements.copy(), self._rows.copy()
        other._waiting_bytes, other._waiting_length = self._waiting_bytes, self._waiting_length
        return other if position is None or other.truncate(position) else None

    def last_sent(self) -> CachedTranscript | None:
        """A copy of just what the session's last request was made of; None where that is not at hand, byte for byte."""
        if self.last is None or not self._elements or self._said_bytes.here() != self.last.wire:
            return None
        if (other := self.beginning(None)) is not None:
            other.sampling, other._rows = self.sampling, []
            other._waiting_bytes = other._waiting_length = 0
        return other

    @property
    def is_divisible(self) -> bool:
        """Whether its places are known: not where messages are kept as objects."""
        return not self._messages

    @property
    def end(self) -> int:
        """The first position behind all of its rows, where it `is_divisible`."""
        last = self._rows[-1].position if self._rows else self._elements.last
        return max(last, self._summary_position) + 1

    def places(self) -> list[tuple[int, int]]:
        """The positions at which it can be divided, with the bytes of the prompt before each, in its order.

        All of them where it `is_divisible`.
        """
        places = [(position, len(self.frozen) + length) for position, length in self._elements.places()]
        length = len(self.frozen) + self._elements.length
        for row in self._rows:
            if row.role != "tool":
                places.append((row.position, length))
            length += self._sent_bytes(row)
        return places

    def _sent_bytes(self, row: Row) -> int:
        """Bytes of a row as it is sent, about: thoughts go back to the model alone that had them."""
        return content_bytes(row.text, sent_parts(row, self.model))

    def sent(self) -> tuple[Mark, Mark]:
        """A request has been made of all this: return how far its rows and its elements have come."""
        rows = self._said_rows.send()
        return rows, self._said_bytes.send() if self._elements else rows

    def compared(self, last: RequestRecord) -> Compared:
        """Tell whether what was sent in an earlier request stands at the beginning of this transcript."""
        same_rows = self._said_rows.extends(last.rows)
        return Compared(same_rows, self._said_bytes.extends(last.wire) if self._elements else same_rows)

    def ahead(self) -> list[Row]:
        """The waiting rows to serialise ahead of a request, as far as they go together; none if it can take them all.

        They end with a user's row, as a request does. The steps of a turn that is read again in its midst go one by
        one: each once was what a request of its own had to add, and some mappings look at a turn's steps together.
        """
        rows = self._rows
        asked = [index for index, row in enumerate(rows) if row.role == "user"]
        if not asked:
            steps = [index for index, row in enumerate(rows) if row.role == "assistant"]
            return rows[: steps[1]] if len(steps) > 1 else []
        if asked[-1] < len(rows) - 1:
            return rows[: asked[-1] + 1]
        return rows[: asked[-2] + 1] if len(rows) > INLINE_ROWS and len(asked) > 1 else []

    def waiting(self) -> list[list[Row]]:
        """The rows not serialised yet, as sections."""
        return sections_of(self._rows)

    def messages(self, sections: Iterable[Sequence[Row]]) -> list[ModelMessage]:
        """A request's messages: the marker for the kept elements, then sections, with a marker between two."""
        messages = [*head_of(self.prefix), _marker()]
        for index, section in enumerate(sections):
            messages += [_marker()] if index else []
            messages += body_of(section, model=self.model)
        return messages

    def keep(self, groups: Iterable[Group]) -> None:
        """The first of the waiting rows have become elements, in these groups."""
        start = 0
        for count, elements in groups:
            rows, start = self._rows[start : start + count], start + count
            self._elements.add(rows[0].position, rows[-1].position, count, b",".join(elements))
            self._said_bytes.feed(elements)
        self._waiting_bytes -= sum(map(_weight, self._rows[:start]))
        self._waiting_length -= sum(map(self._sent_bytes, self._rows[:start]))
        del self._rows[:start]

    def image_names(self) -> list[str]:
        """The names of all pictures in the next request, each once."""
        waiting = [image.name for row in self._rows for image in images_in(row.parts)]
        return list(dict.fromkeys([*names_in(self.elements), *_names_in_messages(self._messages), *waiting]))

    def whole(self) -> list[ModelMessage]:
        """All messages of a request, kept as objects for the next."""
        self._messages = self._messages or head_of(self.prefix)
        self._messages += body_of(self._rows, model=self.model)
        self._message_bytes, self._waiting_bytes = self._message_bytes + self._waiting_bytes, 0
        self._message_length, self._waiting_length = self._message_length + self._waiting_length, 0
        self._rows.clear()
        return list(self._messages)


def _digest(row: Row) -> bytes:
    stored = canonical([row.role, row.text, encode(row.parts), row.status])
    return hashlib.sha256(stored.encode()).digest()[:DIGEST_BYTES]


def _names_in_messages(messages: Iterable[ModelMessage]) -> list[str]:
    from pydantic_ai.messages import BinaryContent

    shown = [
        piece
        for message in messages
        for part in message.parts
        if part.part_kind == "user-prompt" and not isinstance(part.content, str)
        for piece in part.content
    ]
    names = [name_of(piece.data) for piece in shown if isinstance(piece, BinaryContent)]
    return [name for name in names if name]


def _marker() -> ModelMessage:
    from pydantic_ai.messages import ModelRequest, UserPromptPart

    return ModelRequest(parts=[UserPromptPart(MARKER)])


def _weight(row: Row) -> int:
    """Bytes of a row as an object, about."""
    return ROW_BYTES + content_bytes(row.text, row.parts)


def content_bytes(text: str, parts: Parts) -> int:
    """Bytes of what a row says, about as they are sent."""
    return len(text.encode()) + (len(repr(parts)) + IMAGE_BYTES * len(images_in(parts)) if parts else 0)
