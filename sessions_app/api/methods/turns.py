"""What is asked of turns: begin one, by a new text or in the place of a message, and stop it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self
from uuid import UUID

from django.conf import settings
from pydantic import Field, field_validator, model_validator

from sessions_app.api.method import Call, Method
from sessions_app.api.method_types import (
    LEFT_OUT,
    FileIds,
    Id,
    Params,
    Position,
    ProfileId,
    SaidText,
    SessionParams,
    Text,
    TextOrFiles,
)
from sessions_app.conversations.schemas import MessageShape
from sessions_app.conversations.session_schemas import SessionShape
from sessions_app.conversations.shape import Shape
from sessions_app.errors import Conflict, NotFound, TooLarge
from sessions_app.models.approvals import MAX_NOTE
from sessions_app.turn_store.deciding import GivenDecision


class StartParams(SessionParams):
    files: FileIds = LEFT_OUT
    """The ids of files that it is said with, in their order."""
    text: TextOrFiles
    """What the caller says; it may be blank where there are files."""
    message_id: Id = LEFT_OUT
    """The id of the message, made by the client: the same request again is the same turn."""
    revision: Position = LEFT_OUT
    """That of the session as it is shown: it is a conflict where another branch was chosen since."""

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.text), settings.HERMES_MAX_TEXT


class StartResult(Shape):
    """The turn and the caller's message; ``queued``: it runs after the turns before it."""

    run_id: UUID
    message: MessageShape
    queued: bool


class RegenerateParams(SessionParams):
    message_id: Id = LEFT_OUT
    """The answer in whose place another one comes; left out, that to the caller's last message."""
    profile: ProfileId = LEFT_OUT
    """The id of the profile whose model gives this one answer; left out, the session's."""


class RegenerateResult(Shape):
    """The turn that answers, and the session, whose new branch is shown."""

    run_id: UUID
    session: SessionShape


class EditParams(Params):
    message_id: Id
    """One of the caller's messages."""
    files: FileIds = LEFT_OUT
    """The ids of files that it is said with, in order; left out, those of the message in whose place it stands."""
    text: TextOrFiles
    """What stands in its place; it may be blank where there are files."""
    new_id: Id = LEFT_OUT
    """The id of the new message, made by the client: the same request again is the same turn."""

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.text), settings.HERMES_MAX_TEXT


class EditResult(Shape):
    """The turn that answers, the new message, and the session, whose new branch is shown."""

    run_id: UUID
    message: MessageShape
    session: SessionShape


class StopParams(SessionParams):
    run_id: Id = LEFT_OUT
    """The turn, also one that waits; left out, the one that runs."""


class StopResult(Shape):
    """``stopped`` is false where the turn had ended before, or none ran."""

    stopped: bool


class DecisionParams(Params):
    approval_id: Id
    """The approval, as ``session.open`` or ``approval.waiting`` has told it."""
    approve: bool
    """Whether the call is to be made."""
    note: Text = ""
    """What the caller says with it; of a call that is refused the model is told."""
    always: bool = False
    """Whether later calls of the tool in this session are approved as well."""

    @model_validator(mode="after")
    def _always_approves(self) -> Self:
        if self.always and not self.approve:
            raise ValueError("must not have always where the call is refused")
        return self


class ResumeParams(SessionParams):
    decisions: Annotated[list[DecisionParams], Field(min_length=1)]
    """One for each call that waits for a person."""

    @field_validator("decisions")
    @classmethod
    def _each_once(cls, decisions: list[DecisionParams]) -> list[DecisionParams]:
        if len({each.approval_id for each in decisions}) < len(decisions):
            raise ValueError("must have one decision for each call")
        return decisions

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield from ((len(each.note), MAX_NOTE) for each in self.decisions)


class ResumeResult(Shape):
    """The turn that goes on with what was decided."""

    run_id: UUID


class CompactParams(SessionParams):
    text: SaidText = LEFT_OUT
    """The summary; left out, the model writes it."""
    undo: bool = LEFT_OUT
    """Whether the whole chat is used again, in the place of its summary."""

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.undo and "text" in self.model_fields_set:
            raise ValueError("must not have both a text and undo: a summary is either written or undone")
        return self

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.text or ""), settings.HERMES_MAX_TEXT


class CompactResult(Shape):
    """The turn that writes the summary; null where the model writes none."""

    run_id: UUID | None


async def _start(call: Call, params: StartParams) -> StartResult:
    """Say something: answered once the text is durable, run now or after the running turn."""
    started = await call.service.start_turn(
        call.caller.user_id,
        params.session_id,
        params.text,
        params.message_id,
        revision=params.revision,
        files=params.files or (),
        door=call.caller,
    )
    return StartResult(run_id=started.run_id, message=started.message, queued=started.queued)


async def _regenerate(call: Call, params: RegenerateParams) -> RegenerateResult:
    """Ask for another answer in the place of one, or to the last user's message: both stay, each in its branch."""
    branched = await call.service.regenerate(
        call.caller.user_id, params.session_id, params.message_id, profile_id=params.profile, door=call.caller
    )
    return RegenerateResult(run_id=branched.asked.run_id, session=branched.chat_session)


async def _edit(call: Call, params: EditParams) -> EditResult:
    """Say something in the place of one of the caller's messages: both stay, each in its branch."""
    branched = await call.service.edit_message(
        call.caller.user_id, params.message_id, params.text, params.new_id, params.files, door=call.caller
    )
    return EditResult(run_id=branched.asked.run_id, message=branched.asked.message, session=branched.chat_session)


async def _stop(call: Call, params: StopParams) -> StopResult:
    """Stop the running turn, or the one named: the text so far is kept; a queued one is withdrawn."""
    stopped = await call.service.stop_turn(call.caller.user_id, params.session_id, params.run_id, door=call.caller)
    return StopResult(stopped=stopped)


async def _resume(call: Call, params: ResumeParams) -> ResumeResult:
    """Decide on the calls that wait for a person: the approved ones are made, and the turn goes on."""
    decisions = [GivenDecision(each.approval_id, each.approve, each.note, each.always) for each in params.decisions]
    resumed = await call.service.decide(call.caller.user_id, params.session_id, decisions, door=call.caller)
    return ResumeResult(run_id=resumed.run_id)


async def _compact(call: Call, params: CompactParams) -> CompactResult:
    """Put a summary in the place of the earlier part of a chat, for the model: its own, or a text; or use all again."""
    caller, session_id = call.caller, params.session_id
    if "text" in params.model_fields_set:
        await call.service.write_summary(caller.user_id, session_id, params.text, door=caller)
        return CompactResult(run_id=None)
    if params.undo:
        await call.service.undo_summary(caller.user_id, session_id, door=caller)
        return CompactResult(run_id=None)
    started = await call.service.compact(caller.user_id, session_id, door=caller)
    return CompactResult(run_id=started.run_id)


METHODS = (
    Method("turn.start", StartParams, StartResult, _start, (TooLarge, NotFound, Conflict), changes=True),
    Method("turn.regenerate", RegenerateParams, RegenerateResult, _regenerate, (NotFound, Conflict), changes=True),
    Method("turn.resume", ResumeParams, ResumeResult, _resume, (TooLarge, NotFound, Conflict), changes=True),
    Method("message.edit", EditParams, EditResult, _edit, (TooLarge, NotFound, Conflict), changes=True),
    Method("session.compact", CompactParams, CompactResult, _compact, (TooLarge, NotFound, Conflict), changes=True),
    Method("turn.stop", StopParams, StopResult, _stop, (NotFound,), changes=True),
)
