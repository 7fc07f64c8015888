"""One session's transcript in memory: what the next request will be made of, most of it already serialised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .history import Row, body_of, head_of, messages_of, opening_of
from .ledger import Compared, Request, prompt_digest, tools_digest
from .prefix import FrozenPrefix, canonical
from .trail import Mark, Trail

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage

CHUNK = 25
"""Rows serialised in one go when a long transcript is read: some 6 ms during which the event loop waits, nearly all
of it in OpenAI's SDK; 0.2 ms per row (Anthropic's: 0.04 ms)."""


OVERHEAD = 450
"""Bytes of a row or a message kept as an object, besides its text (measured)."""


class Transcript:
    """One session in memory: frozen prefix, model string, serialised elements, rows not serialised yet.

    Everything said so far must have been appended, in order, after it was stored. Not for two steps at once. For a
    model whose wire is not known, the messages are kept as objects instead of elements.

    For the ledger: `last` is the session's last request to a provider, by whichever process, and `applied` the digest
    of a prefix that was applied to it; set them again before each turn. `prompt` and `tools` are the digests of the
    frozen prefix.
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
        self.prefix = prefix
        self.prompt, self.tools = prompt_digest(prefix), tools_digest(prefix)
        self.model = model
        self.last = last
        self.applied = ""
        self._said_rows = Trail(last.rows if last else None)
        self._said_bytes = Trail(last.wire if last else None)
        self._rows: list[Row] = []
        for row in rows:
            self.append(row)
        self._began = False
        self._elements = b""
        self._messages: list[ModelMessage] = []
        self._said = 0

    @property
    def size(self) -> int:
        """Bytes it holds, about."""
        trails = self._said_rows.size + self._said_bytes.size
        return len(self.prefix.system_prompt) + len(self._elements) + self._said + _weight(self._rows) + trails

    @property
    def elements(self) -> bytes:
        """The serialised elements, joined by commas."""
        return self._elements

    def append(self, row: Row) -> None:
        """Take in a row that has just been stored at the end of the branch."""
        self._rows.append(row)
        self._said_rows.feed([canonical([row.role, row.text, row.parts, row.status]).encode()])

    def sent(self) -> tuple[Mark, Mark]:
        """A request has been made of all this: return how far its rows and its elements have come."""
        rows = self._said_rows.send()
        return rows, self._said_bytes.send() if self._elements else rows

    def compared(self, last: Request) -> Compared:
        """Tell whether what was sent in an earlier request stands at the beginning of this transcript."""
        same_rows = self._said_rows.extends(last.rows)
        return Compared(same_rows, self._said_bytes.extends(last.wire) if self._elements else same_rows)

    def chunk(self) -> int:
        """How many of the waiting rows to serialise ahead of a request; 0 if it can take all that wait.

        A chunk ends with a user's row, as a request does: so a call stays with its results, and what a wire's
        mapping looks at around the last user message is the same in a chunk as in the request it once was. The steps
        of a turn that is read again in its midst go one by one for the same reason: each once was a request's own.
        """
        rows = self._rows
        steps = next((steps for steps, row in enumerate(reversed(rows)) if row.role == "user"), len(rows))
        if steps == len(rows):
            return next((index for index, row in enumerate(rows) if index and row.role == "assistant"), 0)
        if not steps and len(rows) <= CHUNK:
            return 0
        enough = min(CHUNK, len(rows) - steps)
        return next((index + 1 for index, row in enumerate(rows) if row.role == "user" and index + 1 >= enough), 0)

    def fresh(self, rows: int | None = None) -> list[ModelMessage]:
        """A request's messages with the marker for the kept elements, and the first (or all) of the waiting rows."""
        from pydantic_ai.messages import ModelRequest, UserPromptPart

        from .wire import MARKER

        waiting = self._rows[:rows]
        opening = [] if self._began else opening_of(waiting)
        marker = ModelRequest(parts=[UserPromptPart(MARKER)])
        return [*head_of(self.prefix), marker, *opening, *body_of(waiting, model=self.model)]

    def keep(self, added: list[bytes], rows: int | None = None) -> None:
        """The first (or all) of the waiting rows have become these elements."""
        self._elements = b",".join([*([self._elements] if self._elements else []), *added])
        self._said_bytes.feed(added)
        self._began = self._began or bool(added)
        del self._rows[: len(self._rows) if rows is None else rows]

    def whole(self) -> list[ModelMessage]:
        """All messages of a request, kept as objects for the next."""
        if self._messages:
            self._messages += body_of(self._rows, model=self.model)
        else:
            self._messages = messages_of(self.prefix, self._rows, model=self.model)
        self._said += _weight(self._rows)
        self._rows.clear()
        return list(self._messages)


def _weight(rows: Iterable[Row]) -> int:
    """Bytes of rows as objects, about."""
    return sum(OVERHEAD + len(row.text) + (len(repr(row.parts)) if row.parts else 0) for row in rows)
