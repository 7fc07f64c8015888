"""The ideal client of an engine: it sends a session's transcript as it is stored, straight to the engine.

It makes its messages of the rows by itself and shares no code with the host, but for two constant texts. Nothing that a
host does can need fewer tokens to be evaluated, so what the engine evaluates for it is the floor.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from time import perf_counter
from typing import Any, NamedTuple
from uuid import UUID

import httpx2

from sessions_app.llm.content.summaries import INSTRUCTION, SUMMARY
from tests.databases import Database
from tests.engine.model import NAME
from tests.processes import PATIENCE

Body = dict[str, Any]

_PREFIX = "SELECT frozen_prefix FROM sessions_app_chatsession WHERE id = %s"
# The line that is shown: each branch of it from where it begins to where the next one does.
_SAID = """
WITH RECURSIVE line (id, parent_id, start, stop) AS (
  SELECT branch.id, branch.parent_id, CASE WHEN branch.parent_id IS NULL THEN 0 ELSE branch.fork_position END, 1e18
  FROM sessions_app_chatsession AS own JOIN sessions_app_branch AS branch ON branch.id = own.active_branch_id
  WHERE own.id = %s
  UNION ALL
  SELECT branch.id, branch.parent_id, CASE WHEN branch.parent_id IS NULL THEN 0 ELSE branch.fork_position END,
    line.start
  FROM line JOIN sessions_app_branch AS branch ON branch.id = line.parent_id
)
SELECT role, text, position, kind, parts FROM line
JOIN sessions_app_message AS message ON message.branch_id = line.id AND position >= start AND position < stop
ORDER BY position
"""


_DOCUMENT = "SELECT text FROM sessions_app_filecontent WHERE folder = %s"


class Heard(NamedTuple):
    """An answer, and the seconds until its first word."""

    text: str
    first: float


def key(session_id: str) -> str:
    """A session's id as SQLite keeps it."""
    return UUID(session_id).hex


class Said(NamedTuple):
    """A stored row; a summary stands in the place of those before the position `covers`.

    `documents` are the names and the texts of those that were sent with it.
    """

    role: str
    text: str
    position: int
    covers: int | None
    documents: tuple[tuple[str, str], ...] = ()

    @property
    def message(self) -> Body:
        """What is sent of it."""
        text = self.text if self.covers is None else f"{SUMMARY}\n\n<summary>\n{self.text}\n</summary>"
        blocks = [f'<document name="{name}">\n{content}\n</document>' for name, content in self.documents]
        return {"role": self.role, "content": "\n\n".join([*blocks, text])}


def request_of(database: Database, session_id: str) -> Body:
    """The request that the session's last turn was, made of what is stored now.

    For sessions without tool calls.
    """
    return _body(database, session_id, [row.message for row in _sent(_asked(database, session_id))])


def summary_request_of(database: Database, session_id: str) -> Body | None:
    """The request for the summary that the session's last turn has made; None where it made none."""
    *rows, last = _asked(database, session_id)
    if last.covers is None:
        return None
    covered = [row for row in rows if row.position < last.covers]
    messages = [*(row.message for row in _sent(covered)), {"role": "user", "content": INSTRUCTION}]
    return _body(database, session_id, messages)


def _asked(database: Database, session_id: str) -> list[Said]:
    """The rows of the line that is shown, up to what was last asked, and the summary that was made for it."""
    rows = [
        Said(
            role,
            text,
            position,
            json.loads(parts)[0]["before"] if kind == "summary" else None,
            _documents(database, json.loads(parts or "[]")),
        )
        for role, text, position, kind, parts in database.run(_SAID, key(session_id))
    ]
    while rows[-1].role != "user":
        rows.pop()
    return rows


def _documents(database: Database, parts: Sequence[Body]) -> tuple[tuple[str, str], ...]:
    files = [part for part in parts if part["kind"] == "file"]
    return tuple((file["name"], database.run(_DOCUMENT, file["folder"])[0][0]) for file in files)


def _sent(rows: Sequence[Said]) -> list[Said]:
    summary = next((row for row in reversed(rows) if row.covers is not None), None)
    said = [row for row in rows if row.covers is None]
    if summary is None or summary.covers is None:
        return said
    return [summary, *(row for row in said if row.position >= summary.covers)]


def _body(database: Database, session_id: str, messages: Sequence[Body]) -> Body:
    [(frozen,)] = database.run(_PREFIX, key(session_id))
    prefix = json.loads(frozen)
    return {
        "model": NAME,
        "messages": [{"role": "system", "content": prefix["system_prompt"]}, *messages],
        "tools": [{"type": "function", "function": tool} for tool in prefix["tools"]],
        "stream": True,
    }


class Ideal:
    """Talks to the engine at `url` (of OPENAI_BASE_URL), from any thread, on a connection for each request.

    llama.cpp drops a connection on which the next request comes within milliseconds of an answer's end.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx2.Client(base_url=url, timeout=PATIENCE, limits=httpx2.Limits(max_keepalive_connections=0))

    def ask(self, body: Body) -> Heard:
        """Send it, and read the answer as it streams."""
        began, first, text = perf_counter(), 0.0, ""
        with self._client.stream("POST", "/chat/completions", json=body) as response:
            for line in response.iter_lines():
                if not line.startswith("data: {"):
                    continue
                choices = json.loads(line[6:])["choices"]
                if choices and (word := choices[0]["delta"].get("content")):
                    first = first or perf_counter() - began
                    text += word
        return Heard(text, first)
