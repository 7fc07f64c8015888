"""The notifications of the server, as types: AG-UI's run events and the project's own facts.

They are made in ``sessions_app.realtime`` (``run_events``, ``remote_runs``, ``notices``); here is what clients may
rely on, for the description of the API and for the tests, which hold every frame against it.
"""

from __future__ import annotations

from typing import Annotated, Literal, cast
from uuid import UUID

from ag_ui.core import (
    CustomEvent,
    ReasoningEndEvent,
    ReasoningMessageContentEvent,
    ReasoningMessageEndEvent,
    ReasoningMessageStartEvent,
    ReasoningStartEvent,
    RunErrorEvent,
    RunFinishedEvent,
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
from pydantic import ConfigDict, Field

from sessions_app.conversations.approval_schemas import ApprovalShape
from sessions_app.conversations.features import Denied
from sessions_app.conversations.ledger_schemas import GuardShape, LedgerShape
from sessions_app.conversations.memory_schemas import MemoryChangeShape
from sessions_app.conversations.run_schemas import CallProgress
from sessions_app.conversations.schemas import MessageShape, QueuedShape, TranscriptShape, TurnShape
from sessions_app.conversations.session_schemas import SessionShape
from sessions_app.conversations.shape import Shape
from sessions_app.journal import Fact
from sessions_app.realtime.notices import event_of


class StartedMetadata(Shape):
    """The metadata of RUN_STARTED."""

    guard: GuardShape


class EndedMetadata(Shape):
    """The metadata of RUN_FINISHED and RUN_ERROR: the turn's line in the ledger."""

    ledger: LedgerShape


class DeltaMetadata(Shape):
    """The metadata of TEXT_MESSAGE_CONTENT: the characters of the message before this delta."""

    offset: Annotated[int, Field(ge=0)]


class TurnStarted(RunStartedEvent):
    """AG-UI's RUN_STARTED; without metadata where the turn ended before the guard was asked."""

    metadata: StartedMetadata | None = None  # type: ignore[assignment]  # narrower than AG-UI's


class TurnFinished(RunFinishedEvent):
    """AG-UI's RUN_FINISHED; without metadata where the provider has counted nothing."""

    metadata: EndedMetadata | None = None  # type: ignore[assignment]  # narrower than AG-UI's


class TurnFailed(RunErrorEvent):
    """AG-UI's RUN_ERROR, with the same metadata."""

    metadata: EndedMetadata | None = None  # type: ignore[assignment]  # narrower than AG-UI's


class TextDelta(TextMessageContentEvent):
    """AG-UI's TEXT_MESSAGE_CONTENT, with its place in the text."""

    metadata: DeltaMetadata  # type: ignore[assignment]  # narrower than AG-UI's


class ToolResult(ToolCallResultEvent):
    """AG-UI's TOOL_CALL_RESULT: what a tool answered is text."""

    content: str


class WorkBegan(StepStartedEvent):
    """AG-UI's STEP_STARTED: the host makes a summary of the chat, before an answer or in the place of one."""

    step_name: Literal["compaction"]


class WorkEnded(StepFinishedEvent):
    """AG-UI's STEP_FINISHED, whatever came of it."""

    step_name: Literal["compaction"]


class ToolProgress(CustomEvent):
    """A tool is at work, and says how far it is: at most four times a second, and kept nowhere."""

    name: Literal["tool.progress"]
    value: CallProgress


class SessionChanged(CustomEvent):
    """A session was created, or its title, flags, activity or messages changed."""

    name: Literal["session.created", "session.updated"]
    value: SessionShape | None


class SessionDeleted(CustomEvent):
    """A session is gone; the value is its id."""

    name: Literal["session.deleted"]
    value: UUID


class MessageCreated(CustomEvent):
    """A user's message begins its turn, an answer was stored, or a step that called tools, with their results."""

    name: Literal["message.created"]
    value: MessageShape | None


class MessageUpdated(CustomEvent):
    """Something else than the text of a message has changed: what its user thinks of it."""

    name: Literal["message.updated"]
    value: MessageShape | None


class BranchSelected(CustomEvent):
    """Another line of a session is shown: its messages must be fetched again."""

    name: Literal["branch.selected"]
    value: SessionShape | None


class QueueChanged(CustomEvent):
    """A turn was queued, or withdrawn before it began."""

    name: Literal["turn.queued", "turn.withdrawn"]
    value: QueuedShape | None


class TurnChanged(CustomEvent):
    """A turn began, or ended: then its answer, where there is one, was told before."""

    name: Literal["turn.began", "turn.ended"]
    value: TurnShape | None


class TranscriptChanged(CustomEvent):
    """Another program has changed what a session holds: what is shown of it must be fetched again."""

    name: Literal["transcript.changed"]
    value: TranscriptShape | None


class MemoryUpdated(CustomEvent):
    """The user's memory has changed: what is shown of it must be fetched again."""

    name: Literal["memory.updated"]
    value: MemoryChangeShape | None


class ApprovalChanged(CustomEvent):
    """A call waits for a person to approve it, or one has decided: ``turn.resume``, or something else that was said."""

    name: Literal["approval.waiting", "approval.decided"]
    value: ApprovalShape | None


RunEvent = Annotated[
    TurnStarted
    | TextMessageStartEvent
    | TextDelta
    | TextMessageEndEvent
    | ToolCallStartEvent
    | ToolCallArgsEvent
    | ToolCallEndEvent
    | ToolProgress
    | ToolResult
    | ReasoningStartEvent
    | ReasoningMessageStartEvent
    | ReasoningMessageContentEvent
    | ReasoningMessageEndEvent
    | ReasoningEndEvent
    | WorkBegan
    | WorkEnded
    | TurnFinished
    | TurnFailed,
    Field(discriminator="type"),
]
FactEvent = Annotated[
    SessionChanged
    | SessionDeleted
    | MessageCreated
    | MessageUpdated
    | BranchSelected
    | QueueChanged
    | TurnChanged
    | TranscriptChanged
    | MemoryUpdated
    | ApprovalChanged,
    Field(discriminator="name"),
]


class RunNotification(Shape):
    """One event of a run; ``seq`` is null for the end of a run whose owner died."""

    session_id: UUID
    run_id: UUID
    seq: Annotated[int, Field(ge=1)] | None
    event: RunEvent


class FactNotification(Shape):
    """One of the project's own facts, sent to all of the user's connections.

    ``session_id`` is null where it is about no session, but about the user's memory.
    ``cursor`` is its place among the user's facts: from 1, rising by one, without gaps. Its value is that of the moment
    it is sent, null where what it is about has been deleted since.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    session_id: UUID | None
    """The session that the event is of; null where it is of none."""
    run_id: None
    """The turn that the event is of; null for a fact."""
    seq: None
    """Its place among the events of its run, from 1; null for a fact, and for the end of a run whose process died."""
    event: FactEvent
    """An AG-UI event: of a run, or ``CUSTOM`` for a fact."""
    cursor: Annotated[int, Field(ge=1)]
    """The place of a fact among those of the user, from 1; events of runs have none."""


FeatureName = Literal["files", "api_tokens", "sharing"]
"""A feature, by the name that clients know it by."""


class AccountNotification(Shape):
    """What the user may use has changed: ``features``, and maybe the profiles that they may choose.

    It is told to connections that have asked for ``account.features``.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    features: list[FeatureName]
    """Those that the user may use now."""


SessionEvent = RunNotification | FactNotification


def feature_names(denied: Denied) -> list[FeatureName]:
    """Return the names of the features that a user may use."""
    return [cast(FeatureName, feature.value) for feature in denied.allowed]


def fact_notification(fact: Fact) -> FactNotification:
    """Return a fact as it is told."""
    event = event_of(fact).model_dump(mode="json", by_alias=True)
    return FactNotification.model_validate(
        {"session_id": fact.session_id, "run_id": None, "seq": None, "event": event, "cursor": fact.cursor}
    )
