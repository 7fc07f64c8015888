"""What a fact is told as: the very event of AG-UI, encoded without making it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from sessions_app.conversations.schemas import MessageShape
from sessions_app.journal import Fact
from sessions_app.models import FactName
from sessions_app.realtime.notices import event_of, fact_notice

ID = UUID("6f9f2f5e-1d2c-4b3a-9c8d-7e6f5a4b3c2d")
MESSAGE = MessageShape(
    id=ID,
    position=3,
    role="user",
    text='"Grüße" 😀\u2028\x00\n',
    status="complete",
    created_at=datetime(2026, 11, 28, 7, 36, 0, 123000, UTC),
    alternatives=[ID],
)


@pytest.mark.parametrize("value", [None, MESSAGE, {"id": str(ID), "spent": 0.1, "text": "é\u2028"}, [1, "a"]])
def test_a_fact_is_encoded_as_the_event_that_tells_it(value: Any) -> None:
    fact = Fact(1, FactName.MESSAGE_CREATED, ID, ID, value, cursor=7)
    event = event_of(fact).model_dump_json(by_alias=True)
    text = fact_notice(fact).text
    assert f'"event":{event},"cursor":7' in text
    assert json.loads(text)["params"]["session_id"] == str(ID)
