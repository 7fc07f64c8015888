"""A page of a session's transcript, as admin shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from asgiref.sync import async_to_sync
from django.utils.safestring import SafeString

from sessions_app.conversations import branches
from sessions_app.conversations.sent_rows import latest_summary
from sessions_app.conversations.versions import versions
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import Parts, Summary, ToolCall, reasoning_of, tool_calls, tool_results
from sessions_app.models import ChatSession, Message, MessageKind, MessageRole, Turn
from sessions_app.web import rendering

MESSAGES_A_PAGE = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One message.

    ``turn`` stands at the first of its messages, loaded only so far as a line tells of it. ``versions`` counts this
    message and those in its place of other branches. ``html`` is the Markdown of an answer or a summary as the chat
    shows it. ``is_in_force``: whether it is the summary that the model is sent.
    """

    message: Message
    turn: Turn | None
    versions: int
    html: str = ""
    is_in_force: bool = False

    @property
    def tool(self) -> str:
        """The name of the tool whose result this is."""
        return next((result.name for result in tool_results(self._parts)), "")

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tool calls that it makes."""
        return tool_calls(self._parts)

    @property
    def reasoning(self) -> str:
        """What the model said of its reasoning."""
        return reasoning_of(self._parts)

    @property
    def covered(self) -> Summary | None:
        """What it sums up, where it is a summary."""
        return next((part for part in self._parts if isinstance(part, Summary)), None)

    @property
    def _parts(self) -> Parts:
        return known(self.message.parts)


@dataclass(frozen=True, slots=True)
class Page:
    """Consecutive messages of the active branch, ascending.

    ``older`` and ``newer`` are the bounds (``before``) of the neighbouring pages, None where there is none; ``oldest``
    is that of the first page. Positions may have gaps, so a newer page may overlap this one; it never leaves a
    message out.
    """

    lines: Sequence[Line]
    older: int | None
    newer: int | None
    oldest: int = MESSAGES_A_PAGE

    @property
    def said(self) -> str:
        """What the page holds, without a word of it."""
        if not self.lines:
            return "no messages"
        first, last = self.lines[0].message, self.lines[-1].message
        return f"messages at positions {first.position} to {last.position}"


def page(chat_session: ChatSession, before: int | None) -> Page:
    """Return the last messages below position ``before``; as many queries for three messages as for 200."""
    messages, has_older = branches.latest(chat_session, MESSAGES_A_PAGE, before=before)
    beside = versions(messages)
    opened = _turns_opened(messages)
    latest = latest_summary(chat_session)
    return Page(
        [
            Line(m, opened.get(m.pk), len(beside.get(m.pk, (m,))), is_in_force=bool(m.text) and m == latest)
            for m in messages
        ],
        older=messages[0].position if has_older else None,
        newer=None if before is None else _newer(chat_session, messages[-1].position + 1 if messages else before),
    )


def rendered(page: Page, reader_id: int) -> Page:
    """Return the page with its answers rendered, in the turn of who reads them."""
    answers = [line for line in page.lines if _is_markdown(line.message) and line.message.text]
    htmls = async_to_sync(rendering.render_for_staff)(reader_id, [line.message.text for line in answers])
    # The renderer sanitises last, whatever the text (web/sanitise.py).
    shown = {line.message.pk: SafeString(html) for line, html in zip(answers, htmls, strict=True)}  # nosec B703
    return replace(page, lines=[replace(line, html=shown.get(line.message.pk, line.html)) for line in page.lines])


def _is_markdown(message: Message) -> bool:
    return message.role == MessageRole.ASSISTANT or message.kind == MessageKind.SUMMARY


def _turns_opened(messages: Sequence[Message]) -> dict[int, Turn]:
    """Return, by primary key, the turns of those messages that are the first of theirs."""
    first = {message.turn_id: message.pk for message in reversed(messages) if message.turn_id}
    turns = Turn.objects.only("run_id", "error_code").filter(pk__in=first)
    return {first[turn.pk]: turn for turn in turns}


def _newer(chat_session: ChatSession, after: int) -> int | None:
    """Return the bound of the page that begins at position ``after``, if any message is there."""
    last, _ = branches.latest(chat_session, 1)
    return after + MESSAGES_A_PAGE if last and last[0].position >= after else None
