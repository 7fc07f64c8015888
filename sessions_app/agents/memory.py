"""One session's transcript in memory: what the next request will be made of, most of it already serialised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .history import Row, body_of, counts, head_of, opening_of
from .ledger import Compared, Request, prompt_digest, tools_digest
from .prefix import FrozenPrefix, canonical
from .trail import Mark, Trail

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage

FEW = 10
"""Rows that a request serialises itself; if more wait, most of them are serialised ahead of it, in slices."""

OVERHEAD = 450
"""Bytes of a row or a message kept as an object, besides its text (measured)."""


class Transcript:
    """One session in memory: frozen prefix, model string, serialised elements, rows not serialised yet.

    Everything said so far must have been appended, in order, after it was stored. Not for two steps at once. For a
    model whose wire is not known, the messages are kept as objects instead of elements.

    For the ledger: `last` is the session's last request to a provider, by whichever process, and `applied` the digest
    of a prefix that was applied to it; set them again before each turn. `prompt` and `tools` are the digests of the
    frozen prefix, and `frozen` is its canonical JSON.
    """

    def __init__(
        self,
        session_id: str,
        prefix: FrozenPrefix,
        model: str,
        rows: Iterable[Row] = (),
        *,
        last: Request | None = None,
    ) -> None:
        self.session_id = session_id
        self.prefix, self.frozen = prefix, prefix.to_json()
        self.prompt, self.tools = prompt_digest(prefix), tools_digest(prefix)
        self.model = model
        self.last = last
        self.applied = ""
        self._said_rows = Trail(last.rows if last else None)
        self._said_bytes = Trail(last.wire if last else None)
        self._rows: list[Row] = []
        self._waiting = 0
        self._began = False
        self._elements = b""
        self._messages: list[ModelMessage] = []
        self._said = 0
        for row in rows:
            self.append(row)

    @property
    def size(self) -> int:
        """Bytes it holds, about."""
        trails = self._said_rows.size + self._said_bytes.size
        return len(self.prefix.system_prompt) + len(self._elements) + self._said + self._waiting + trails

    @property
    def elements(self) -> bytes:
        """The serialised elements, joined by commas."""
        return self._elements

    def append(self, row: Row) -> None:
        """Take in a row that has just been stored at the end of the branch."""
        opening = [] if self._began else opening_of([row])
        self._began = self._began or counts(row)
        for waiting in (*opening, row):
            self._rows.append(waiting)
            self._waiting += _weight(waiting)
        self._said_rows.feed([canonical([row.role, row.text, row.parts, row.status]).encode()])

    def sent(self) -> tuple[Mark, Mark]:
        """A request has been made of all this: return how far its rows and its elements have come."""
        rows = self._said_rows.send()
        return rows, self._said_bytes.send() if self._elements else rows

    def compared(self, last: Request) -> Compared:
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
        return rows[: asked[-2] + 1] if len(rows) > FEW and len(asked) > 1 else []

    def fresh(self) -> list[ModelMessage]:
        """A request's messages: the marker for the kept elements, and the waiting rows."""
        return [*head_of(self.prefix), _marker(), *body_of(self._rows, model=self.model)]

    def apart(self, runs: Iterable[Sequence[Row]]) -> list[ModelMessage]:
        """A rehearsal's messages: each run of rows by itself, between markers."""
        messages = [*head_of(self.prefix), _marker()]
        for run in runs:
            messages += [*body_of(run, model=self.model), _marker()]
        return messages

    def keep(self, added: list[bytes], rows: int | None = None) -> None:
        """The first (or all) of the waiting rows have become these elements."""
        self._elements = b",".join([*([self._elements] if self._elements else []), *added])
        self._said_bytes.feed(added)
        self._waiting -= sum(map(_weight, self._rows[:rows]))
        del self._rows[:rows]

    def whole(self) -> list[ModelMessage]:
        """All messages of a request, kept as objects for the next."""
        self._messages = self._messages or head_of(self.prefix)
        self._messages += body_of(self._rows, model=self.model)
        self._said, self._waiting = self._said + self._waiting, 0
        self._rows.clear()
        return list(self._messages)


def _marker() -> ModelMessage:
    from pydantic_ai.messages import ModelRequest, UserPromptPart

    from .wire.splicing import MARKER

    return ModelRequest(parts=[UserPromptPart(MARKER)])


def _weight(row: Row) -> int:
    """Bytes of a row as an object, about."""
    return OVERHEAD + len(row.text) + (len(repr(row.parts)) if row.parts else 0)
