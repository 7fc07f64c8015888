"""Notifications to clients, as JSON-RPC text: facts, the events of a running answer, and what the account may now.

Each is encoded once, for all connections. The responses to commands are made in ``api/answers.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from ag_ui.core import BaseEvent, CustomEvent
from pydantic import BaseModel
from pydantic_core import to_json

from sessions_app.conversations.features import Denied
from sessions_app.journal import Fact
from sessions_app.models import FactName


@dataclass(frozen=True, slots=True)
class FactNotice:
    """A fact, as the JSON-RPC notification that tells it. ``closes`` is a session that it says is gone."""

    cursor: int
    text: str
    closes: UUID | None = None


@dataclass(frozen=True, slots=True)
class RunNotice:
    """One event of a run. ``began`` is the cursor of the fact that the run's turn has begun.

    ``seq`` is None for the end of a run whose process died: nobody knows how far it came.
    """

    session_id: UUID
    run_id: UUID
    seq: int | None
    began: int
    text: str


@dataclass(frozen=True, slots=True)
class AccountNotice:
    """What the user may use by now, as the notification that tells it. It is no fact of theirs, and closes nothing."""

    text: str
    closes: None = None


Notice = FactNotice | RunNotice | AccountNotice


def account_notice(denied: Denied) -> AccountNotice:
    """Encode which features may be used now."""
    params = {"features": [feature.value for feature in denied.allowed]}
    return AccountNotice(json.dumps({"jsonrpc": "2.0", "method": "account.changed", "params": params}))


def event_of(fact: Fact) -> CustomEvent:
    """Return the event that tells a fact."""
    value = fact.value.model_dump(mode="json") if isinstance(fact.value, BaseModel) else fact.value
    return CustomEvent(name=fact.name.value, value=value)


def fact_notice(fact: Fact) -> FactNotice:
    """Encode a fact, as ``event_of`` would be: with no event in between it takes a sixth of the time."""
    value = fact.value.model_dump_json() if isinstance(fact.value, BaseModel) else to_json(fact.value).decode()
    event = f'{{"type":"CUSTOM","name":"{fact.name.value}","value":{value}}}'
    text = _encode(fact.session_id, None, None, event, fact.cursor)
    return FactNotice(fact.cursor, text, fact.session_id if fact.name == FactName.SESSION_DELETED else None)


def run_notice(session_id: UUID, run_id: UUID, seq: int | None, event: BaseEvent, *, began: int) -> RunNotice:
    """Encode an event of a run."""
    text = _encode(session_id, run_id, seq, event.model_dump_json(by_alias=True), None)
    return RunNotice(session_id, run_id, seq, began, text)


def _encode(session_id: UUID | None, run_id: UUID | None, seq: int | None, event: str, cursor: int | None) -> str:
    session, run = ("null" if each is None else f'"{each}"' for each in (session_id, run_id))
    place = "" if cursor is None else f',"cursor":{cursor}'
    return (
        '{"jsonrpc":"2.0","method":"session.event","params":'
        f'{{"session_id":{session},"run_id":{run},"seq":{json.dumps(seq)},'
        f'"event":{event}{place}}}}}'
    )
