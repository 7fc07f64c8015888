"""What a client answers to interrupts, as AG-UI has it: a call of a tool is approved, refused, or given up."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from ag_ui.core import ResumeEntry
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.texts import check_text
from sessions_app.models.approvals import MAX_NOTE
from sessions_app.turn_store.deciding import GivenDecision
from sessions_app.turn_store.thread_history import canonical
from sessions_app.turn_store.threads import InterruptAnswer


class _Payload(BaseModel):
    """An answer, as ``responseSchema`` of the interrupt asks for it. Arguments cannot be edited."""

    model_config = ConfigDict(extra="forbid", strict=True)

    approved: StrictBool
    note: str = ""
    always: StrictBool = Field(default=False)


def answers(entries: Iterable[ResumeEntry]) -> tuple[InterruptAnswer, ...]:
    """Return a client's answers. Raises ApiError."""
    found: dict[str, InterruptAnswer] = {}
    for number, entry in enumerate(entries):
        if entry.interrupt_id in found:
            raise ApiError(400, "An interrupt is answered twice.", param=f"resume[{number}].interruptId")
        found[entry.interrupt_id] = _answer(entry, f"resume[{number}]")
    return tuple(found.values())


def _answer(entry: ResumeEntry, param: str) -> InterruptAnswer:
    # An id of ours is a UUID as they are spelt here; another one names nothing.
    approval_id = canonical(entry.interrupt_id) or uuid.uuid4()
    if entry.status == "cancelled":
        return InterruptAnswer(entry.interrupt_id, GivenDecision(approval_id, approve=False), is_cancelled=True)
    return InterruptAnswer(entry.interrupt_id, _decision(approval_id, entry.payload, param), is_cancelled=False)


def _decision(approval_id: UUID, payload: Any, param: str) -> GivenDecision:
    try:
        said = _Payload.model_validate(payload)
    except ValidationError:
        told = 'The payload must be {"approved": true or false}, with "note" and "always" where they are wanted.'
        raise ApiError(400, told, param=f"{param}.payload") from None
    check_text(said.note, MAX_NOTE, f"{param}.payload.note")
    return GivenDecision(approval_id, said.approved, said.note, said.always and said.approved)
