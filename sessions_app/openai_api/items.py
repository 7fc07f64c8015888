"""The items of a conversation as OpenAI's Responses and conversations have them, made of the rows of a transcript.

A row is one message; what the model let be seen of its thoughts stands before it, calls of the program's tools behind
it. The host's own tools are no business of a program: their calls and results are no items.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sessions_app.conversations.file_schemas import file_shapes
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import reasoning_of, tool_calls, tool_results
from sessions_app.models import Message, MessageKind, MessageRole, MessageStatus
from sessions_app.openai_api.ids import call_item_id, message_item_id, result_item_id, thought_item_id

Item = dict[str, Any]

COMPLETED, INCOMPLETE, IN_PROGRESS = "completed", "incomplete", "in_progress"


def text_part(text: str) -> Item:
    """Return the part of an answer that is its text."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def answer_item(item_id: str, text: str | None, status: str) -> Item:
    """Return the item that an answer is; without a text it has only begun."""
    content = [] if text is None else [text_part(text)]
    return {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": content}


def thought_item(item_id: str, text: str | None) -> Item:
    """Return the item that a thought is; without a text it has only begun."""
    summary = [] if text is None else [{"type": "summary_text", "text": text}]
    return {"id": item_id, "type": "reasoning", "summary": summary}


def call_item(item_id: str, call_id: str, name: str, arguments: str, status: str) -> Item:
    """Return the item that a call of a program's tool is."""
    called = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"id": item_id, "type": "function_call", **called, "status": status}


def items_of(message: Message) -> Iterator[Item]:
    """Yield the items of a row."""
    if message.kind != MessageKind.SAID:
        return
    if message.role == MessageRole.TOOL:
        yield from _result_items(message)
        return
    item_id = message_item_id(message.public_id)
    if message.role == MessageRole.USER:
        yield {"id": item_id, "type": "message", "role": "user", "status": COMPLETED, "content": _said(message)}
        return
    if thought := reasoning_of(known(message.parts)):
        yield thought_item(thought_item_id(f"{message.public_id}-1"), thought)
    if message.text.strip():
        yield answer_item(item_id, message.text, status_of(message.status, message.finish))
    calls = [call for call in tool_calls(known(message.parts)) if call.client]
    for number, call in enumerate(calls, start=1):
        yield call_item(call_item_id(message.public_id, number), call.id, call.name, call.arguments, COMPLETED)


def _said(message: Message) -> list[Item]:
    """Return the parts of a user's message: its files by their ids and addresses here, which are taken back."""
    parts: list[Item] = []
    for file in file_shapes(known(message.parts)):
        if file.media_type.startswith("image/"):
            parts.append({"type": "input_image", "detail": "auto", "file_id": str(file.id), "image_url": file.url})
        else:
            parts.append({"type": "input_file", "file_id": str(file.id), "filename": file.name, "file_url": file.url})
    if message.text.strip() or not parts:
        parts.append({"type": "input_text", "text": message.text})
    return parts


def _result_items(message: Message) -> Iterator[Item]:
    for result in tool_results(known(message.parts)):
        if result.client:
            item_id = result_item_id(message.public_id)
            told = {"call_id": result.id, "output": message.text, "status": COMPLETED}
            yield {"id": item_id, "type": "function_call_output", **told}


def status_of(status: str, finish: str | None) -> str:
    """Return the status of an answer's item: ``status`` and ``finish`` are those of its message."""
    return COMPLETED if status == MessageStatus.COMPLETE and not finish else INCOMPLETE
