"""Make a chat of the messages that another program has kept as a tree: each names the one that it follows.

The line that was shown there is the chat's active branch. Each message that stands beside it, after an edit or another
answer, begins a branch of its own. What was left out of the tree (a system prompt, calls of tools) is passed over: what
follows it follows what came before it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from pydantic import ValidationError

from sessions_app.imports.chats import Chat, Unusable, check
from sessions_app.models.sessions import TITLE_LENGTH
from sessions_app.transfer.shapes import FORMAT, KeptFileRecord, SessionDocument

_NAMES = UUID("0c5fcb0e-2d8c-4a53-9f0b-6e1f0c1b7f52")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Node:
    """A message, or what was left out in its place (``role`` is None); ``follows`` is the id of another node."""

    id: str
    follows: str | None
    role: str | None = None
    text: str = ""
    made: object = None
    model: str | None = None
    files: tuple[KeptFileRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """A chat of another program; ``shown`` is the last message of the line that was shown there. Times are seconds."""

    id: str
    title: object
    nodes: Mapping[str, Node]
    shown: object
    created: object
    updated: object
    archived: bool = False
    pinned: bool = False
    missing: tuple[str, ...] = ()


def named_id(*names: str) -> UUID:
    """Return the id of something that another program has named: its own where that is a UUID."""
    try:
        return UUID(names[-1])
    except ValueError:
        return uuid5(_NAMES, "\n".join(clean(name) for name in names))


def clean(text: str) -> str:
    """Return a text that a database can store: no NUL, no halves of characters."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def moment(seconds: object, otherwise: datetime) -> datetime:
    """Return a time that was told as seconds; ``otherwise`` where it was not, or cannot be."""
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        try:
            told = datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return otherwise
        if _EARLIEST <= told <= datetime.now(UTC) + timedelta(days=1):
            return told
    return otherwise


def chat_of(tree: Tree) -> Chat:
    """Return a tree as a chat of ours. Raises Unusable."""
    grown = _Grown(tree)
    if not grown.messages:
        raise Unusable("It has no messages.", tree.id)
    created = moment(tree.created, datetime.now(UTC))
    files = {file.id: file for node in tree.nodes.values() for file in node.files}
    title = clean(tree.title) if isinstance(tree.title, str) else ""
    head = {
        "id": str(named_id(tree.id)),
        "title": title.strip()[:TITLE_LENGTH],
        "title_by": "person" if title.strip() else "",
        "created_at": created.isoformat(),
        "updated_at": moment(tree.updated, created).isoformat(),
        "archived": tree.archived,
        "pinned": tree.pinned,
        "active_branch": grown.active,
    }
    told = {
        "format": FORMAT,
        "version": 1,
        "session": head,
        "branches": grown.branches,
        "messages": grown.messages,
        "files": [file.model_dump(mode="json") for file in files.values()],
    }
    try:
        document = SessionDocument.model_validate_json(json.dumps(told))
        check(document)
    except ValidationError:
        raise Unusable("It is damaged.", tree.id) from None
    except Unusable as unusable:
        raise Unusable(unusable.why, tree.id) from None
    return Chat(document, tree.missing, tuple(files.values()))


class _Grown:
    """The branches and messages of a tree, as JSON."""

    def __init__(self, tree: Tree) -> None:
        self.branches: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.active = ""
        self._tree = tree
        self._after = _children(tree.nodes)
        self._shown = set(_line(tree.nodes, tree.shown))
        waiting: list[tuple[Node, str | None, int]] = []
        if first := self._after[None]:
            waiting.append((self._main(first), None, 0))
        while waiting:
            waiting += self._grow(*waiting.pop())

    def _grow(self, node: Node, parent: str | None, position: int) -> list[tuple[Node, str | None, int]]:
        """Add the branch that begins with a node, and return those that begin beside it, in the same form."""
        branch = str(uuid4())
        beside: list[tuple[Node, str | None, int]] = []
        self.branches.append({"id": branch, "parent": parent, "fork_position": position})
        self.active = self.active or branch
        siblings = [node] if parent else self._after[None]
        while siblings:
            node = node if node in siblings else self._main(siblings)
            beside += [(other, branch, position) for other in siblings if other is not node]
            self.messages.append(self._message(node, branch, position))
            siblings, position = self._after[node.id], position + 1
        return beside

    def _main(self, siblings: list[Node]) -> Node:
        """Return which of them the line goes on with: what was shown, else the newest."""
        return next((node for node in siblings if node.id in self._shown), siblings[-1])

    def _message(self, node: Node, branch: str, position: int) -> dict[str, Any]:
        made = moment(node.made, moment(self._tree.created, datetime.now(UTC)))
        told: dict[str, Any] = {
            "id": str(named_id(self._tree.id, node.id)),
            "branch": branch,
            "position": position,
            "role": node.role,
            "text": clean(node.text),
            "created_at": made.isoformat(),
            "model": clean(node.model) if node.model else None,
        }
        if node.files:
            told["parts"] = [_reference(file) for file in node.files]
        return told


def _reference(file: KeptFileRecord) -> dict[str, Any]:
    """Return the part that stands for a file; where it is kept is known when it was taken."""
    told = {"id": str(file.id), "name": file.name, "media_type": file.media_type}
    return {"kind": "file", "folder": "brought", **told}


def _children(nodes: Mapping[str, Node]) -> dict[str | None, list[Node]]:
    """Return the messages that follow each message, oldest first; None has the first ones.

    Raises Unusable where they go round in a circle.
    """
    after: dict[str | None, list[Node]] = defaultdict(list)
    passed: dict[str, str | None] = {}
    said = [node for node in nodes.values() if node.role is not None]
    for node in said:
        after[_message_before(nodes, node.follows, passed)].append(node)
    for siblings in after.values():
        siblings.sort(key=lambda node: node.made if isinstance(node.made, int | float) else 0)
    reached, waiting = 0, list(after[None])
    while waiting:
        reached += 1
        waiting += after[waiting.pop().id]
    if reached < len(said):
        raise Unusable("Its messages follow each other in a circle.")
    return after


def _message_before(nodes: Mapping[str, Node], at: str | None, passed: dict[str, str | None]) -> str | None:
    """Return the message that a place follows, over all that was left out; ``passed`` has what is known of that."""
    way = []
    while at is not None and at not in passed and (found := nodes.get(at)) is not None and found.role is None:
        passed[at] = None  # where they go round in a circle, it ends here
        way.append(at)
        at = found.follows
    before = passed.get(at, at if at in nodes else None) if at is not None else None
    passed.update(dict.fromkeys(way, before))
    return before


def _line(nodes: Mapping[str, Node], last: object) -> list[str]:
    """Return the ids of a line, from its last message back."""
    line: list[str] = []
    while isinstance(last, str) and last in nodes and len(line) <= len(nodes):
        line.append(last)
        last = nodes[last].follows
    return line
