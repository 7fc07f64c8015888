"""From items that a program sends to what was said: system prompts, texts, calls of the program's tools, their results.

What is the host's own in a history that comes back (thoughts) is left out: the host has it. For a thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

from django.conf import settings

from sessions_app.conversations.line_digests import BETWEEN_STEPS, Said, joined
from sessions_app.http_api.bodies import Lenient
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.sent_files import SentFiles
from sessions_app.http_api.texts import MAX_ARGUMENTS, MAX_FUNCTION_NAME, check_text
from sessions_app.llm.content.parts import ToolCall
from sessions_app.models import MessageRole
from sessions_app.models.waiting import MAX_CALL_ID
from sessions_app.openai_api import tools
from sessions_app.openai_api.content import Content, read_content

_PROMPT_ROLES = ("system", "developer")


class SentItem(Lenient):
    """An item as it is sent; without a type it is a message."""

    type: str | None = None
    role: str | None = None
    content: str | list[dict[str, Any]] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[dict[str, Any]] | None = None


@dataclass(slots=True)
class Told:
    """What items say: system prompts, which come first, and what was said after them, answers whole."""

    prompts: list[str] = field(default_factory=list)
    said: tuple[Said, ...] = ()

    @property
    def prompt(self) -> str | None:
        """The system prompt, None where none was sent."""
        return "\n\n".join(self.prompts) or None


def read_items(items: str | list[SentItem], files: SentFiles, param: str, *, goes_on: bool = False) -> Told:
    """Return what items say; a text is one message of the user. Raises ApiError, which names ``param``.

    Where it ``goes_on`` from an answer, results of its calls may come first.
    """
    if isinstance(items, str):
        check_text(items, settings.HERMES_MAX_TEXT, param)
        return Told(said=tuple(joined([Said(MessageRole.USER, items)])))
    prompts: list[str] = []
    said: list[tuple[str, Said]] = []
    for number, item in enumerate(items):
        place = f"{param}[{number}]"
        if item.type in (None, "message") and item.role in _PROMPT_ROLES:
            if said:
                raise ApiError(400, "A system prompt comes before all other messages.", param=f"{place}.role")
            prompts += [text] if (text := _content(item, None, place)[0]).strip() else []
        else:
            _add(said, place, _said(item, files, place))
    return Told(prompts, tuple(joined(_in_order(said, goes_on=goes_on))))


def _said(item: SentItem, files: SentFiles, place: str) -> Said | None:
    """Return what an item says, None for nothing. Raises ApiError."""
    match item.type:
        case None | "message":
            if item.role not in (MessageRole.USER, MessageRole.ASSISTANT):
                raise ApiError(400, "The role is none of system, developer, user, assistant.", param=f"{place}.role")
            text, sent = _content(item, files if item.role == MessageRole.USER else None, place)
            return Said(item.role, text, files=sent)
        case "function_call":
            return Said(MessageRole.ASSISTANT, "", (_call(item, place),))
        case "function_call_output":
            return Said(MessageRole.TOOL, _output(item, place), call_id=_named(item.call_id, f"{place}.call_id"))
        case "reasoning":
            return None
        case "item_reference":
            text = "Items are not named: send previous_response_id, or the items themselves."
            raise ApiError(400, text, code="unsupported_value", param=place)
        case _:
            raise ApiError(400, "Items of this type are not taken.", code="unsupported_value", param=f"{place}.type")


def _add(said: list[tuple[str, Said]], place: str, each: Said | None) -> None:
    """Append what an item says; what belongs to the answer before, which has calls, is added to that."""
    if each is None:
        return
    before = said[-1][1] if said else None
    is_one = before is not None and before.role == each.role == MessageRole.ASSISTANT
    if before is not None and is_one and (each.calls or before.calls):
        text = BETWEEN_STEPS.join(text for text in (before.text, each.text) if text.strip())
        said[-1] = (said[-1][0], replace(before, text=text, calls=(*before.calls, *each.calls)))
    else:
        said.append((place, each))


def _in_order(said: list[tuple[str, Said]], *, goes_on: bool) -> list[Said]:
    """Return what was said with results in the order of their calls. Raises ApiError."""
    first = list(takewhile(lambda each: each[1].role == MessageRole.TOOL, said)) if goes_on else []
    try:
        return [*(each for _, each in first), *tools.in_order(said[len(first) :])]
    except ApiError as error:
        told = "Behind an answer's function_call items each needs one function_call_output, and no other is taken."
        raise ApiError(400, told, param=(error.error["param"] or "").partition(".")[0]) from None


def _call(item: SentItem, place: str) -> ToolCall:
    name, arguments = _named(item.name, f"{place}.name"), item.arguments or ""
    check_text(name, MAX_FUNCTION_NAME, f"{place}.name")
    check_text(arguments, MAX_ARGUMENTS, f"{place}.arguments")
    return ToolCall(_named(item.call_id, f"{place}.call_id"), name, arguments, client=True)


def _named(value: str | None, place: str) -> str:
    if not value:
        raise ApiError(400, "Field required.", param=place)
    check_text(value, MAX_CALL_ID, place)
    return value


def _output(item: SentItem, place: str) -> str:
    if item.output is None:
        raise ApiError(400, "Field required.", param=f"{place}.output")
    return _checked(item.output, None, settings.HERMES_MAX_TEXT, f"{place}.output")[0]


def _content(item: SentItem, files: SentFiles | None, place: str) -> Content:
    """Return the text and the files of a message. Raises ApiError."""
    if item.content is None:
        raise ApiError(400, "A message needs a content.", param=f"{place}.content")
    longest = settings.HERMES_MAX_ANSWER if item.role == MessageRole.ASSISTANT else settings.HERMES_MAX_TEXT
    return _checked(item.content, files, longest, f"{place}.content")


def _checked(content: str | list[dict[str, Any]], files: SentFiles | None, longest: int, place: str) -> Content:
    text, sent = read_content(content, files, place)
    check_text(text, longest, place)
    return text, sent
