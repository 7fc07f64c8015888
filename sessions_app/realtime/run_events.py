"""What clients see of a running turn: AG-UI events, numbered.

A delta goes out as it comes: the wire has joined what came within 30 ms (``llm/wire/answer.py``). ``seq`` rises by one
per event; each text delta carries its place in the text (``metadata.offset``, in characters), so that a client which
missed one knows. ``shape`` is at every moment the text and the calls of exactly the events up to ``seq``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ag_ui.core import (
    BaseEvent,
    CustomEvent,
    ReasoningEndEvent,
    ReasoningMessageContentEvent,
    ReasoningMessageEndEvent,
    ReasoningMessageStartEvent,
    ReasoningStartEvent,
    RunStartedEvent,
    StepFinishedEvent,
    StepStartedEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    ToolCallArgsEvent,
    ToolCallEndEvent,
    ToolCallResultEvent,
    ToolCallStartEvent,
)

from sessions_app.conversations.run_schemas import CallProgress, RunningCallShape, RunShape
from sessions_app.llm.step_events import (
    ReasoningDelta,
    StepEvent,
    TextDelta,
    ToolCallArgs,
    ToolCallEnd,
    ToolCallStart,
)
from sessions_app.llm.tools.sources import Progress

TOOL_PROGRESS = "tool.progress"
"""The name of AG-UI's CUSTOM event that says how far a call is. The other CUSTOM events are facts, of no run."""


@dataclass(slots=True)
class _Call:
    """A call that has no result yet, as far as it was sent."""

    name: str
    arguments: list[str] = field(default_factory=list)
    progress: CallProgress | None = None


class RunStream:
    """Numbers one run's events and hands them to ``publish(seq, event)``.

    Belongs to the event loop. ``message_id`` is the id that the answer under way will have; its thoughts are named by
    that and a number. ``spoke_at`` is the loop's time at the first word of the answer or its reasoning.
    """

    def __init__(
        self,
        session_id: UUID,
        run_id: UUID,
        message_id: UUID,
        publish: Callable[[int, BaseEvent], None],
    ) -> None:
        self.session_id = session_id
        self.run_id = run_id
        self.message_id = message_id
        self.spoke_at: float | None = None
        self._publish = publish
        self._seq = 0
        self._sent: list[str] = []
        self._length = 0
        self._reasoning_id: str | None = None
        self._thoughts = 0
        self._open_calls: dict[str, None] = {}
        self._calls: dict[str, _Call] = {}

    @property
    def text(self) -> str:
        """All of the answer's text so far."""
        self._sent = ["".join(self._sent)]
        return self._sent[0]

    def shape(self) -> RunShape:
        """Return the run as session.open answers it."""
        calls = [
            RunningCallShape(id=key, name=call.name, arguments="".join(call.arguments), progress=call.progress)
            for key, call in self._calls.items()
        ]
        return RunShape(run_id=self.run_id, message_id=self.message_id, text=self.text, seq=self._seq, calls=calls)

    def started(self, guard: dict[str, str] | None) -> None:
        """Send RUN_STARTED, once, with what the guard decided."""
        if self._seq == 0:
            metadata: dict[str, Any] | None = {"guard": guard} if guard else None
            self._send(RunStartedEvent(thread_id=str(self.session_id), run_id=str(self.run_id), metadata=metadata))

    def show(self, event: StepEvent) -> None:
        """Send what a step of the model tells."""
        match event:
            case TextDelta(text):
                self._words(text)
            case ReasoningDelta(text):
                self._reasoning(text)
            case ToolCallStart(call_id, name):
                self._call_started(call_id, name)
            case ToolCallArgs(call_id, delta):
                self._call_arguments(call_id, delta)
            case ToolCallEnd(call_id):
                self._call_ended(call_id)

    def _words(self, delta: str) -> None:
        """Add to the answer's text."""
        if not delta:
            return
        self._end_reasoning()
        self._spoke()
        message_id, offset = str(self.message_id), self._length
        if offset == 0:
            self._send(TextMessageStartEvent(message_id=message_id, role="assistant"))
        self._sent.append(delta)
        self._length += len(delta)
        self._send(TextMessageContentEvent(message_id=message_id, delta=delta, metadata={"offset": offset}))

    def _reasoning(self, delta: str) -> None:
        """Add to what the model says about its reasoning."""
        if not delta:
            return
        self._spoke()
        if self._reasoning_id is None:
            self._thoughts += 1
            self._reasoning_id = f"{self.message_id}-{self._thoughts}"
            self._send(ReasoningStartEvent(message_id=self._reasoning_id))
            self._send(ReasoningMessageStartEvent(message_id=self._reasoning_id, role="reasoning"))
        self._send(ReasoningMessageContentEvent(message_id=self._reasoning_id, delta=delta))

    def _call_started(self, call_id: str, name: str) -> None:
        """Send the beginning of a tool call."""
        self._end_reasoning()
        self._open_calls[call_id] = None
        self._calls[call_id] = _Call(name)
        self._send(
            ToolCallStartEvent(
                tool_call_id=call_id,
                tool_call_name=name,
                parent_message_id=str(self.message_id),
            )
        )

    def _call_arguments(self, call_id: str, delta: str) -> None:
        """Send a piece of a tool call's arguments."""
        self._calls[call_id].arguments.append(delta)
        self._send(ToolCallArgsEvent(tool_call_id=call_id, delta=delta))

    def _call_ended(self, call_id: str) -> None:
        """Send the end of a tool call's arguments."""
        self._open_calls.pop(call_id, None)
        self._send(ToolCallEndEvent(tool_call_id=call_id))

    def work_began(self, name: str) -> None:
        """Send that the host has begun work of its own on the turn."""
        self._send(StepStartedEvent(step_name=name))

    def work_ended(self, name: str) -> None:
        """Send that this work has ended."""
        self._send(StepFinishedEvent(step_name=name))

    def call_progress(self, call_id: str, progress: Progress) -> None:
        """Send how far a call is; nothing of it is stored."""
        told = CallProgress(
            toolCallId=call_id, progress=progress.progress, total=progress.total, message=progress.message
        )
        if (call := self._calls.get(call_id)) is not None:  # one that a person has approved is of an earlier run
            call.progress = told
        self._send(CustomEvent(name=TOOL_PROGRESS, value=told.model_dump()))

    def call_result(self, call_id: str, message_id: UUID, text: str) -> None:
        """Send a tool's result, once it is stored under ``message_id``."""
        self._calls.pop(call_id, None)
        self._send(ToolCallResultEvent(tool_call_id=call_id, message_id=str(message_id), content=text, role="tool"))

    def next_message(self, message_id: UUID) -> None:
        """End the message under way, which is stored, and go on with another."""
        self._end_message()
        self.message_id = message_id
        self._sent, self._length, self._thoughts = [], 0, 0
        self._calls.clear()

    def close(self, guard: dict[str, str] | None) -> int:
        """Send all but the event that ends the run, RUN_STARTED too where it never came so far; return its ``seq``."""
        self.started(guard)
        self._end_message()
        return self._seq + 1

    def _spoke(self) -> None:
        if self.spoke_at is None:
            self.spoke_at = asyncio.get_running_loop().time()

    def _end_reasoning(self) -> None:
        if self._reasoning_id is not None:
            self._send(ReasoningMessageEndEvent(message_id=self._reasoning_id))
            self._send(ReasoningEndEvent(message_id=self._reasoning_id))
            self._reasoning_id = None

    def _end_message(self) -> None:
        self._end_reasoning()
        for call_id in list(self._open_calls):  # cut off in the middle of its arguments
            self._call_ended(call_id)
        if self._length:
            self._send(TextMessageEndEvent(message_id=str(self.message_id)))

    def _send(self, event: BaseEvent) -> None:
        self._seq += 1
        self._publish(self._seq, event)
