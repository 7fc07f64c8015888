"""The caller's memory: its memories, the switch for all of them, and the word on what a model has proposed."""

from __future__ import annotations

from collections.abc import Iterator

from sessions_app.api.method import Call, Method
from sessions_app.api.method_types import EmptyResult, Id, NoParams, Params, SaidText
from sessions_app.conversations import memory
from sessions_app.conversations.memory_schemas import MemoriesShape, MemoryShape
from sessions_app.conversations.schemas import MessageShape
from sessions_app.conversations.shape import Shape
from sessions_app.errors import Conflict, NotFound, TooLarge
from sessions_app.llm.content.memory import MAX_MEMORY_CHARACTERS
from sessions_app.session_store import memory as changes
from sessions_app.session_store import proposals


class AddParams(Params):
    text: SaidText
    """What is to be remembered: one line."""

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.text), MAX_MEMORY_CHARACTERS


class ChangeParams(AddParams):
    memory_id: Id
    """The memory that it stands in the place of."""


class DeleteParams(Params):
    memory_id: Id
    """The memory to forget."""


class SwitchParams(Params):
    enabled: bool
    """Whether models are told what is remembered."""


class DecideParams(Params):
    message_id: Id
    """The result of the call that has proposed it."""
    save: bool
    """Whether it is to be remembered."""


class MemoryResult(Shape):
    """The memory as it is kept."""

    memory: MemoryShape


class DecideResult(Shape):
    """The message, which says what was decided; ``memory`` is what was saved by this."""

    message: MessageShape
    memory: MemoryShape | None


async def _list(call: Call, params: NoParams) -> MemoriesShape:
    """Tell what the caller wants to be remembered, oldest first, and whether it is told to models."""
    return await call.caller.read(memory.memories_shape, call.caller.user_id)


async def _add(call: Call, params: AddParams) -> MemoryResult:
    """Add a memory, kept as one line; one that is there already stays as it is."""
    return MemoryResult(memory=await call.write(changes.add, call.caller.user_id, params.text))


async def _update(call: Call, params: ChangeParams) -> MemoryResult:
    """Put a text in the place of a memory's."""
    return MemoryResult(memory=await call.write(changes.update, call.caller.user_id, params.memory_id, params.text))


async def _delete(call: Call, params: DeleteParams) -> EmptyResult:
    """Delete a memory."""
    await call.write(changes.delete, call.caller.user_id, params.memory_id)
    return EmptyResult()


async def _switch(call: Call, params: SwitchParams) -> MemoriesShape:
    """Have the memories told to models, or not: they are kept."""
    return await call.write(changes.switch, call.caller.user_id, params.enabled)


async def _decide(call: Call, params: DecideParams) -> DecideResult:
    """Save what a call of the tool remember has proposed, or refuse it: once, for the call's result."""
    message, saved = await call.write(proposals.decide, call.caller.user_id, params.message_id, params.save)
    return DecideResult(message=message, memory=saved)


METHODS = (
    Method("memory.list", NoParams, MemoriesShape, _list, of_account=True),
    Method("memory.add", AddParams, MemoryResult, _add, (TooLarge,), changes=True, of_account=True),
    Method("memory.update", ChangeParams, MemoryResult, _update, (TooLarge, NotFound), changes=True, of_account=True),
    Method("memory.delete", DeleteParams, EmptyResult, _delete, (NotFound,), changes=True, of_account=True),
    Method("memory.switch", SwitchParams, MemoriesShape, _switch, changes=True, of_account=True),
    Method("memory.decide", DecideParams, DecideResult, _decide, (NotFound, Conflict), changes=True, of_account=True),
)
