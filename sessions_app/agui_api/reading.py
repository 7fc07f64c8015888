"""From the body of a request to the thread, the run and the messages in it. AG-UI's own types are the schema.

What means nothing here (``state``, ``context``, ``forwardedProps``) is taken and ignored. For a thread: a body may be
megabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ag_ui.core import (
    AssistantMessage,
    DeveloperMessage,
    Message,
    RunAgentInput,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from django.conf import settings

from sessions_app.agui_api import interrupts, tools
from sessions_app.agui_api.content import modern, read_content
from sessions_app.conversations.line_digests import SaidFile
from sessions_app.http_api.bodies import parse
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.sent_files import SentFiles
from sessions_app.http_api.texts import MAX_MESSAGES, check_text
from sessions_app.llm.content.parts import ToolCall
from sessions_app.models.sessions import NAME_LENGTH
from sessions_app.models.waiting import MAX_CALL_ID
from sessions_app.turn_store.thread_history import ThreadMessage
from sessions_app.turn_store.threads import ThreadRequest


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a client asks for. ``is_current``: it says which version it speaks, which those before 1.0 do not."""

    asked: ThreadRequest
    is_current: bool


def read(body: bytes, files: SentFiles) -> RunRequest:
    """Return the request in a body. Raises ApiError."""
    given = parse(RunAgentInput, modern(body))
    tools.check(given.thread_id, NAME_LENGTH, "threadId")
    tools.check(given.run_id, NAME_LENGTH, "runId")
    if len(given.messages) > MAX_MESSAGES:
        raise ApiError(400, f"{len(given.messages):,} messages; {MAX_MESSAGES:,} are allowed.", param="messages")
    prompts, messages = [], []
    for message, param in _told(given.messages):
        text, sent = _content(message, files, param)
        if isinstance(message, SystemMessage | DeveloperMessage):
            prompts += [text] if text.strip() else []
        else:
            fields = _tool_fields(message, param)
            messages.append(ThreadMessage(message.id, message.role, text, *fields, files=tuple(sent)))
    prompt, brought = "\n\n".join(prompts) or None, tools.brought(given.tools or [])
    answers = interrupts.answers(given.resume or [])
    asked = ThreadRequest(given.thread_id, given.run_id, prompt, tuple(messages), brought, answers)
    return RunRequest(asked, given.protocol_version is not None)


Told = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage


def _told(messages: list[Message]) -> Iterator[tuple[Told, str]]:
    """Yield what belongs to the conversation, with its place; not what clients keep for themselves.

    Raises ApiError.
    """
    ids: set[str] = set()
    for number, message in enumerate(messages):
        param = f"messages[{number}]"
        tools.check(message.id, NAME_LENGTH, f"{param}.id")
        if message.id in ids:
            raise ApiError(400, "Two messages have the same id.", param=f"{param}.id")
        ids.add(message.id)
        if isinstance(message, SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage):
            yield message, param


def _tool_fields(message: Told, param: str) -> tuple[tuple[ToolCall, ...], str]:
    """Return the calls that an answer has made, and which call a result is of. Raises ApiError."""
    if isinstance(message, ToolMessage):
        tools.check(message.tool_call_id, MAX_CALL_ID, f"{param}.toolCallId")
        return (), message.tool_call_id
    if isinstance(message, AssistantMessage):
        return tools.calls_of(message.tool_calls or [], param), ""
    return (), ""


def _content(message: Told, files: SentFiles, param: str) -> tuple[str, list[SaidFile]]:
    """Return the text and the files of a message. Raises ApiError."""
    param = f"{param}.content"
    text, sent = read_content(message.content or "", files if isinstance(message, UserMessage) else None, param)
    longest = settings.HERMES_MAX_ANSWER if isinstance(message, AssistantMessage) else settings.HERMES_MAX_TEXT
    check_text(text, longest, param)
    return text, sent
