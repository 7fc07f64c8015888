"""Write the active line of a chat as Markdown, for people: who said what and when, calls of tools, links to files."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from sessions_app.conversations.file_schemas import file_shapes
from sessions_app.database import Door
from sessions_app.files.names import cleaned
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import tool_calls, tool_results
from sessions_app.models import Message, MessageKind, MessageRole, MessageStatus
from sessions_app.transfer import rows
from sessions_app.transfer.rows import Exported
from sessions_app.transfer.session_json import Link

UNTITLED = "Chat"
_TITLE_CHARACTERS = 60
_SPECIAL = re.compile(r"([\\`*_\[\]<>#&])")
_ENDINGS = {
    MessageStatus.STOPPED: "Stopped by the user.",
    MessageStatus.INTERRUPTED: "Interrupted: the server went away.",
    MessageStatus.FAILED: "Broken off by an error.",
}


def name_of(title: str) -> str:
    """Return what a file is called that has a chat of this title, without a suffix."""
    return cleaned(title.replace("/", " ").replace("\\", " ") or UNTITLED)[:_TITLE_CHARACTERS].strip()


async def pieces(door: Door, user_id: int, exported: Exported, link: Link) -> AsyncIterator[bytes]:
    """Yield the document piece by piece. Raises NotFound where the chat is deleted meanwhile."""
    head = exported.head
    title = _plain(head.title) or UNTITLED
    yield f"# {title}\n\n*{_moment(head.created_at)} to {_moment(head.updated_at)}*\n".encode()
    after, has_more = -1, True
    while has_more:
        some, has_more = await door.read(rows.line, user_id, head.id, after)
        for message in some:
            yield _message(message, link).encode()
        after = some[-1].position if some else after


def _message(message: Message, link: Link) -> str:
    """Return a message; notes and summaries are said to the model, and nothing here."""
    if message.kind != MessageKind.SAID:
        return ""
    pieces = _result(message) if message.role == MessageRole.TOOL else _said(message, link)
    return "".join(f"\n{piece}\n" for piece in pieces if piece)


def _said(message: Message, link: Link) -> list[str]:
    who = "You" if message.role == MessageRole.USER else "Assistant"
    model = f" ({_plain(message.model)})" if message.model else ""
    parts = known(message.parts)
    files = [f"- [{_plain(shape.name)}]({link(shape)})" for shape in file_shapes(parts)]
    calls = [f"Calls the tool {_code(call.name)} with {_code(call.arguments)}" for call in tool_calls(parts)]
    ending = _ENDINGS.get(MessageStatus(message.status), "")
    return [
        f"## {who}{model}, {_moment(message.created_at)}",
        message.text.strip("\n"),
        "\n".join(files),
        *calls,
        f"*{ending}*" if ending else "",
    ]


def _result(message: Message) -> list[str]:
    name = next((result.name for result in tool_results(known(message.parts))), "tool")
    fence = _fence(message.text, 3)
    return [f"The tool {_code(name)} answers:", f"{fence}\n{message.text}\n{fence}"]


def _plain(text: str) -> str:
    """Return a text in one line that Markdown takes as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """Return a text in one line as code, whatever it holds."""
    text = " ".join(text.split())
    fence = _fence(text, 1)
    space = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{space}{text}{space}{fence}"


def _fence(text: str, least: int) -> str:
    """Return a row of backticks that is longer than any in the text."""
    return "`" * max([least, *(len(run) + 1 for run in re.findall("`+", text))])


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
