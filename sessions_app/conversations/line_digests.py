"""Digests of what was said in a line, kept with each message: by them a conversation that a program sends is known.

A message's digest is that of all that was said up to and with it: of the digest before, who speaks, and the text
without blanks at its ends. It is an index, not the truth: who finds a message by it compares the texts.

A program sees an answer as one text, however many steps it took. So the answers between two messages of the user count
as one, joined by a blank line; tools' results and summaries do not count. The first message's digest begins with that
of the system prompt that a program has brought with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from uuid import UUID

from sessions_app.conversations import branches
from sessions_app.database import plain
from sessions_app.models import ChatSession, MessageKind, MessageRole

BETWEEN_STEPS = "\n\n"
"""What stands between the texts of an answer's steps, as a program sees them."""

# Rows that are read together on the way back to what the user has said last.
_ROWS_AT_ONCE = 50
_NEWEST = """
SELECT position, role, kind, text, line_digest FROM sessions_app_message
WHERE branch_id = %s AND chat_session_id = %s AND position >= %s AND position < %s
ORDER BY position DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said, as a program sees it: by the user, or a whole answer.

    ``id`` is what its message is to have where it is stored; None: any.
    """

    role: str
    text: str
    id: UUID | None = field(default=None, compare=False)


def prompt_digest(prompt: str | None) -> str:
    """Return the digest of a system prompt that a program has brought; empty where it has brought none."""
    return _hash("prompt", prompt.strip()) if prompt is not None else ""


def joined(said: Iterable[tuple[str, str]]) -> list[Said]:
    """Return what was said, of (role, text) in order: without blank texts, the answers between two messages as one."""
    items: list[Said] = []
    for role, run in groupby((pair for pair in said if pair[1].strip()), key=lambda pair: pair[0]):
        if role == MessageRole.ASSISTANT:
            items.append(Said(role, _answer([text for _, text in run])))
        else:
            items += [Said(role, text) for _, text in run]
    return items


def digests_of(prompt: str, said: Iterable[Said]) -> list[str]:
    """Return the digest up to and with each thing said; ``prompt`` is the digest of a prompt that was brought."""
    digests, digest = [], prompt
    for each in said:
        digest = _hash(digest, each.role, each.text.strip())
        digests.append(digest)
    return digests


def next_digests(chat_session: ChatSession, rows: Sequence[tuple[str, str, str]]) -> Iterator[str | None]:
    """Yield the digests of rows (role, kind, text) that are about to be appended to the active line."""
    answers = bool(rows) and rows[0][0] == MessageRole.ASSISTANT
    digest, answer = _end(chat_session, answers=answers)
    for role, kind, text in rows:
        if digest is None or kind != MessageKind.SAID or role == MessageRole.TOOL or not text.strip():
            yield None
        elif role == MessageRole.USER:
            digest = _hash(_with_answer(digest, answer), role, text.strip())
            answer = []
            yield digest
        else:
            answer.append(text)
            yield _with_answer(digest, answer)


def _end(chat_session: ChatSession, *, answers: bool) -> tuple[str | None, list[str]]:
    """Return the digest at the end of the line, without the answer that is not whole yet, and the texts of that.

    ``answers``: what follows belongs to that answer. The digest is None where nobody knows it.
    """
    answer: list[str] = []
    for role, text, digest in _backwards(chat_session):
        if digest is not None and (role == MessageRole.USER or not (answers or answer)):
            return digest, answer
        if role == MessageRole.USER:
            return None, []
        answer.insert(0, text)
    return chat_session.client_prompt, answer


def _backwards(chat_session: ChatSession) -> Iterator[tuple[str, str, str | None]]:
    """Yield role, text and digest of what was said in the line, the newest first; mostly the first one is enough."""
    limit = 1
    for segment in branches.line(chat_session):
        end = segment.end
        while found := plain.rows(_NEWEST, [segment.branch_id, segment.session_id, segment.start, end, limit]):
            for _, role, kind, text, digest in found:
                if kind == MessageKind.SAID and role != MessageRole.TOOL and text.strip():
                    yield role, text, digest
            end, limit = found[-1][0], _ROWS_AT_ONCE


def _with_answer(digest: str, answer: list[str]) -> str:
    return _hash(digest, MessageRole.ASSISTANT, _answer(answer).strip()) if answer else digest


def _answer(texts: list[str]) -> str:
    return BETWEEN_STEPS.join(texts)


def _hash(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:32]
