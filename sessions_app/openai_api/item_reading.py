"""From items that a program sends to what was said: system prompts, and texts of the user and of the assistant.

What is the host's own in a history that comes back (thoughts) is left out: the host has it. For a thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from sessions_app.conversations.line_digests import Said, joined
from sessions_app.http_api.bodies import Lenient
from sessions_app.http_api.errors import ApiError
from sessions_app.models import MessageRole

_PROMPT_ROLES = ("system", "developer")
_TEXT_PARTS = {"input_text": "text", "output_text": "text", "text": "text", "refusal": "refusal"}
_LATER = ("input_image", "input_file", "input_audio")


class SentItem(Lenient):
    """An item as it is sent; without a type it is a message."""

    type: str | None = None
    role: str | None = None
    content: str | list[dict[str, Any]] | None = None


@dataclass(slots=True)
class Told:
    """What items say: system prompts, which come first, and who has said what after them."""

    prompts: list[str] = field(default_factory=list)
    texts: list[Said] = field(default_factory=list)

    @property
    def said(self) -> tuple[Said, ...]:
        """What was said, answers whole."""
        return tuple(joined(self.texts))

    @property
    def prompt(self) -> str | None:
        """The system prompt, None where none was sent."""
        return "\n\n".join(self.prompts) or None


def read_items(items: str | list[SentItem], param: str) -> Told:
    """Return what items say; a text is one message of the user. Raises ApiError, which names ``param``."""
    told = Told()
    if isinstance(items, str):
        items = [SentItem(role="user", content=items)]
        places = [param]
    else:
        places = [f"{param}[{number}]" for number in range(len(items))]
    for item, place in zip(items, places, strict=True):
        _read(item, place, told)
    return told


def _read(item: SentItem, place: str, told: Told) -> None:
    match item.type:
        case None | "message":
            _read_message(item, place, told)
        case "reasoning":
            pass
        case "item_reference":
            text = "Items are not named: send previous_response_id, or the items themselves."
            raise ApiError(400, text, code="unsupported_value", param=place)
        case _:
            raise ApiError(400, "Items of this type are not taken.", code="unsupported_value", param=f"{place}.type")


def _read_message(item: SentItem, place: str, told: Told) -> None:
    if item.role not in (*_PROMPT_ROLES, MessageRole.USER, MessageRole.ASSISTANT):
        raise ApiError(400, "The role is none of system, developer, user, assistant.", param=f"{place}.role")
    text = _text(item, f"{place}.content" if item.type or "[" in place else place)
    if item.role not in _PROMPT_ROLES:
        told.texts.append(Said(item.role, text))
        return
    if told.texts:
        raise ApiError(400, "A system prompt comes before all other messages.", param=f"{place}.role")
    told.prompts += [text] if text.strip() else []


def _text(item: SentItem, place: str) -> str:
    """Return the text of a message. Raises ApiError."""
    if item.content is None:
        raise ApiError(400, "A message needs a content.", param=place)
    longest = settings.HERMES_MAX_ANSWER if item.role == MessageRole.ASSISTANT else settings.HERMES_MAX_TEXT
    return checked(item.content if isinstance(item.content, str) else _joined(item.content, place), longest, place)


def checked(text: str, longest: int, place: str) -> str:
    """Return a text that can be stored. Raises ApiError."""
    if "\0" in text:
        raise ApiError(400, "The text has a NUL character.", param=place)
    if len(text) > longest:
        told = f"A text of {len(text):,} characters; {longest:,} are allowed."
        raise ApiError(400, told, code="string_above_max_length", param=place)
    return text


def _joined(parts: list[dict[str, Any]], place: str) -> str:
    texts = []
    for number, part in enumerate(parts):
        kind = part.get("type")
        if not isinstance(kind, str) or kind not in _TEXT_PARTS:
            later = "Images, files and sound are not taken yet."
            told = later if kind in _LATER else "Only parts with a text are taken."
            raise ApiError(400, told, code="unsupported_value", param=f"{place}[{number}].type")
        text = part.get(_TEXT_PARTS[kind])
        if not isinstance(text, str):
            raise ApiError(400, "The text must be a string.", param=f"{place}[{number}].{_TEXT_PARTS[kind]}")
        texts.append(text)
    return "\n".join(texts)
