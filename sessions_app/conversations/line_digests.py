"""Digests of what was said in a line, kept with each message: by them a conversation that a program sends is known.

A message's digest is that of all that was said up to and with it: of the digest before, who speaks, and the text
without blanks at its ends. It is an index, not the truth: who finds a message by it compares the texts.

A program sees an answer as one text, however many steps it took. So the answers between two messages of the user count
as one, joined by a blank line; what the host's own tools do, and summaries, do not count. Calls of the program's tools
end an answer, and they and their results count like what was said. A message's files count by the SHA-256 of their
bytes. The first message's digest begins with that of the system prompt that a program has brought with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from sessions_app.conversations import branches
from sessions_app.database import plain
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import FileReference, Parts, ToolCall, tool_calls, tool_results
from sessions_app.llm.content.prefix import canonical
from sessions_app.models import ChatSession, MessageKind, MessageRole

T = TypeVar("T")

BETWEEN_STEPS = "\n\n"
"""What stands between the texts of an answer's steps, as a program sees them."""

# Rows that are read together on the way back to what the user has said last.
_ROWS_AT_ONCE = 50
_NEWEST = """
SELECT position, role, kind, text, parts, line_digest FROM sessions_app_message
WHERE branch_id = %s AND chat_session_id = %s AND position >= %s AND position < %s
ORDER BY position DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class SaidFile:
    """A file that a message was said with: the SHA-256 of its bytes, and its name, which is not compared."""

    digest: str
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said, as a program sees it: by the user, a whole answer, or a result of the program's tool.

    ``calls`` are those of the program's tools that an answer ends with; ``call_id`` says which call a result is of.
    ``files`` are those that the user said it with. ``id`` is what its message is to have where it is stored; None: any.
    """

    role: str
    text: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    files: tuple[SaidFile, ...] = ()
    id: UUID | None = field(default=None, compare=False)

    @property
    def is_blank(self) -> bool:
        """Whether it says nothing."""
        return not (self.text.strip() or self.calls or self.files)

    @property
    def is_open(self) -> bool:
        """Whether an answer that follows belongs to it."""
        return self.role == MessageRole.ASSISTANT and not self.calls

    @property
    def compared(self) -> Said:
        """It as things said are compared: programs trim texts, and write arguments anew."""
        calls = tuple(ToolCall(call.id, call.name, _compared(call.arguments)) for call in self.calls)
        return Said(self.role, self.text.strip(), calls, self.call_id, self.files)


def said_by(role: str, kind: str, text: str, parts: Parts) -> Said | None:
    """Return what a row says to a program; None for nothing."""
    if kind != MessageKind.SAID:
        return None
    if role == MessageRole.TOOL:
        result = next((result for result in tool_results(parts) if result.client), None)
        return Said(role, text, call_id=result.id) if result else None
    said = Said(role, text, tuple(call for call in tool_calls(parts) if call.client), files=files_in(parts))
    return None if said.is_blank else said


def files_in(parts: Parts) -> tuple[SaidFile, ...]:
    """Return the files among the parts of a message."""
    files = [part for part in parts if isinstance(part, FileReference) and part.folder]
    return tuple(SaidFile(part.digest or "", part.name) for part in files)


def _compared(arguments: str) -> str:
    try:
        return canonical(json.loads(arguments, parse_float=_number))
    except (ValueError, RecursionError):
        return arguments.strip()


def _number(text: str) -> float | int:
    """Return a number as JavaScript writes it: 1 for 1.0."""
    number = float(text)
    return int(number) if number.is_integer() else number


def prompt_digest(prompt: str | None) -> str:
    """Return the digest of a system prompt that a program has brought; empty where it has brought none."""
    return _hash("prompt", prompt.strip()) if prompt is not None else ""


def grouped(rows: Iterable[T], said_of: Callable[[T], Said]) -> Iterator[list[T]]:
    """Yield the rows of each thing that was said: those of a whole answer together."""
    run: list[T] = []
    for row in rows:
        if run and not (said_of(run[-1]).is_open and said_of(row).role == MessageRole.ASSISTANT):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def whole(run: Sequence[Said]) -> Said:
    """Return one thing said, of the rows of it."""
    if len(run) == 1:
        return run[0]
    texts = (each.text for each in run if each.text.strip())
    return Said(run[-1].role, BETWEEN_STEPS.join(texts), run[-1].calls)


def joined(said: Iterable[Said]) -> list[Said]:
    """Return what was said, in order: without blank texts that call nothing, answers in several pieces as one."""
    saying = (each for each in said if each.role == MessageRole.TOOL or not each.is_blank)
    return [whole(run) for run in grouped(saying, lambda each: each)]


def digests_of(prompt: str, said: Iterable[Said]) -> list[str]:
    """Return the digest up to and with each thing said; ``prompt`` is the digest of a prompt that was brought."""
    digests, digest = [], prompt
    for each in said:
        digest = _next(digest, each)
        digests.append(digest)
    return digests


def next_digests(chat_session: ChatSession, rows: Sequence[Said | None]) -> Iterator[str | None]:
    """Yield the digests of rows that are about to be appended to the active line, by what each says (``said_by``)."""
    answers = bool(rows) and rows[0] is not None and rows[0].role == MessageRole.ASSISTANT
    digest, answer = _end(chat_session, answers=answers)
    for row in rows:
        if digest is None or row is None:
            yield None
            continue
        if row.role != MessageRole.ASSISTANT and answer:
            digest, answer = _next(digest, whole(answer)), []
        answer.append(row)
        now = _next(digest, whole(answer))
        if not row.is_open:
            digest, answer = now, []
        yield now


def _end(chat_session: ChatSession, *, answers: bool) -> tuple[str | None, list[Said]]:
    """Return the digest at the end of the line, without the answer that is not whole yet, and the rows of that.

    ``answers``: what follows belongs to that answer. The digest is None where nobody knows it.
    """
    answer: list[Said] = []
    for each, digest in _backwards(chat_session):
        if digest is not None and not (each.is_open and (answers or answer)):
            return digest, answer
        if not each.is_open:
            return None, []
        answer.insert(0, each)
    return chat_session.client_prompt, answer


def _backwards(chat_session: ChatSession) -> Iterator[tuple[Said, str | None]]:
    """Yield what was said in the line with its digest, the newest first; mostly the first one is enough."""
    limit = 1
    for segment in branches.line(chat_session):
        end = segment.end
        while found := plain.rows(_NEWEST, [segment.branch_id, segment.session_id, segment.start, end, limit]):
            for _, role, kind, text, parts, digest in found:
                if (said := said_by(role, kind, text, _said_in(parts))) is not None:
                    yield said, digest
            end, limit = found[-1][0], _ROWS_AT_ONCE


def _said_in(stored: Any) -> Parts:
    """Return the parts in a column's JSON, where any may be a file or of a client's tools: others say nothing."""
    if not isinstance(stored, str) or not ('"client"' in stored or '"file"' in stored):
        return ()
    try:
        return known(json.loads(stored))
    except (ValueError, RecursionError):
        return ()  # another program has broken it


def _next(digest: str, said: Said) -> str:
    one = said.compared
    calls = [part for call in one.calls for part in (call.id, call.name, call.arguments)]
    files = [file.digest for file in one.files]
    return _hash(digest, one.role, one.text, *calls, *files, *([one.call_id] if one.role == MessageRole.TOOL else []))


def _hash(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:32]
