"""What a tool's result becomes: text for the model, bounded, and pictures."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sessions_app.llm.content.prefix import canonical
from sessions_app.llm.tools.sources import ToolError, ToolImage, ToolOutput
from sessions_app.tool_servers.bounds import MAX_CHARACTERS, MAX_IMAGES

if TYPE_CHECKING:
    from mcp_types import CallToolResult, ContentBlock

NOTHING = "The tool has brought no text."
PICTURES = "The tool has brought pictures."


def output_of(result: CallToolResult) -> ToolOutput:
    """Return a result as the model is told it. Raises ToolError for one that tells an error."""
    texts, images = list(_texts(result)), _images(result)
    if not texts and result.structured_content is not None:
        texts.append(canonical(result.structured_content))
    if (count := sum(block.type == "image" for block in result.content)) > len(images):
        texts.append(f"[{count - len(images)} of {count} pictures are left out.]")
    text = _cut("\n\n".join(text for text in texts if text.strip()))
    if result.is_error:
        raise ToolError(text or "the tool does not say what is wrong.")
    return ToolOutput(text or (PICTURES if images else NOTHING), images)


def _cut(text: str) -> str:
    if len(text) <= MAX_CHARACTERS:
        return text
    left = len(text) - MAX_CHARACTERS
    return f"{text[:MAX_CHARACTERS]}\n\n[Cut here: {left:,} more characters are left out.]"


def _texts(result: CallToolResult) -> Iterator[str]:
    for block in result.content:
        if (text := _text_of(block)) is not None:
            yield text


def _text_of(block: ContentBlock) -> str | None:
    match block.type:
        case "text":
            return block.text
        case "resource_link":
            return f"[A link to {block.name}: {block.uri}]"
        case "resource":
            text = getattr(block.resource, "text", None)
            return text if text is not None else f"[A file that is not shown: {block.resource.uri}]"
        case "audio":
            return "[A recording that is not played.]"
    return None


def _images(result: CallToolResult) -> tuple[ToolImage, ...]:
    found: list[ToolImage] = []
    for block in result.content:
        if block.type == "image" and len(found) < MAX_IMAGES:
            try:
                found.append(ToolImage(b64decode(block.data, validate=True), block.mime_type))
            except ValueError:
                continue
    return tuple(found)
