"""The typed parts of a message's content, as they stand beside its text; `codec` has their stored form.

`details` of a part, and a call's `arguments`, are JSON as text: PostgreSQL's jsonb would reorder their keys and
rewrite their numbers, and other bytes would go back to the provider than came from it. `details` is what else the
provider gave.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, StrictBool, StrictInt

SEPARATOR = "\n\n"
"""Between two texts, or two thoughts, of one answer (with a tool call between them, say)."""

_EXACT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made an answer, and the digest of the text that its parts belong to."""

    __pydantic_config__: ClassVar[ConfigDict] = _EXACT

    model: str
    digest: str
    provider: str | None
    url: str | None
    system: str | None
    kind: Literal["origin"] = "origin"


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What the model let be seen of its thoughts; `tagged` where it stood between tags in the answer's own text."""

    __pydantic_config__: ClassVar[ConfigDict] = _EXACT

    text: str
    id: str | None = None
    signature: str | None = None
    details: str | None = None
    tagged: StrictBool = False
    kind: Literal["reasoning"] = "reasoning"


@dataclass(frozen=True, slots=True)
class TextSpan:
    """Where a piece of the row's text belongs among the other parts: `start` and `length` are in characters."""

    __pydantic_config__: ClassVar[ConfigDict] = _EXACT

    start: StrictInt
    length: StrictInt
    id: str | None = None
    details: str | None = None
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as the model made it: `arguments` is JSON text, unchecked; `item` is the provider's own id of it.

    `client` where the tool is the client's own, who runs it. No provider is told.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _EXACT

    id: str
    name: str
    arguments: str
    item: str | None = None
    details: str | None = None
    client: StrictBool = False
    kind: Literal["call"] = "call"


@dataclass(frozen=True, slots=True)
class ToolResult:
    """Which call a tool's row answers; the row's text is the result. `client` as with the call."""

    __pydantic_config__: ClassVar[ConfigDict] = _EXACT

    id: str
    name: str
    client: StrictBool = False
    kind: Literal["result"] = "result"


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file that belongs to a message: a reference only, its bytes are kept elsewhere (`files`).

    What the model is sent of it is frozen here, by SHA-256: a `text`, and then `images`, all of `image_type`, which are
    kept in `folder`. `digest` is the SHA-256 of the bytes that were uploaded, by which a program's file is known again.
    The rest is for people.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _EXACT

    id: str
    name: str
    media_type: str
    size: StrictInt = 0
    width: StrictInt | None = None
    height: StrictInt | None = None
    pages: StrictInt | None = None
    characters: StrictInt | None = None
    notice: str | None = None
    folder: str | None = None
    text: str | None = None
    images: tuple[str, ...] = ()
    image_type: str | None = None
    digest: str | None = None
    kind: Literal["file"] = "file"

    @property
    def is_sent(self) -> bool:
        """Whether anything of it is sent: else it must not be taken for one that is."""
        return bool(self.folder and (self.text or self.images))


@dataclass(frozen=True, slots=True)
class Summary:
    """Makes a row the summary of its line's rows before the position `before`, in whose place it is sent.

    `asked` is the position of a message among them that is sent all the same, behind the summary: what the turn was
    asked whose own steps were summarised. A summary of nothing (`before` is 0) ends an earlier one.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _EXACT

    before: StrictInt
    asked: StrictInt | None = None
    kind: Literal["summary"] = "summary"


@dataclass(frozen=True, slots=True)
class Note:
    """Makes a row a note of the host to the model: no person has said it in this chat.

    `memory` is the digest of the memories that it tells (`memory.digest_of`), None where it tells of something else.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _EXACT

    memory: str | None = None
    kind: Literal["note"] = "note"


Part = Origin | Reasoning | TextSpan | ToolCall | ToolResult | FileReference | Summary | Note
Parts = tuple[Part, ...]


def tool_calls(parts: Iterable[Part]) -> tuple[ToolCall, ...]:
    """The tool calls among parts, in order."""
    return tuple(part for part in parts if isinstance(part, ToolCall))


def tool_results(parts: Iterable[Part]) -> tuple[ToolResult, ...]:
    """The tool results among parts, in order."""
    return tuple(part for part in parts if isinstance(part, ToolResult))


def reasoning_of(parts: Iterable[Part]) -> str:
    """What the model let be seen of its thoughts."""
    thoughts = [part for part in parts if isinstance(part, Reasoning)]
    texts = [part.text or raw_thought(json.loads(part.details or "{}")) for part in thoughts]
    return SEPARATOR.join(text.strip() for text in texts if text.strip())


def raw_thought(details: dict[str, Any] | None) -> str:
    """A thought that open models give as it is, where others give a summary: Pydantic AI keeps it in the details."""
    return "".join((details or {}).get("raw_content") or ())
