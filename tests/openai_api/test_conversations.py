"""Conversations by OpenAI's official client: each is a session, which the page shows."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types.conversations import Conversation
from openai.types.conversations.conversation_item_list import ConversationItemList

from tests.limited import add_profile
from tests.llm.talking import extends
from tests.openai_api.conftest import MODEL, Program
from tests.openai_api.types import exact
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate


def texts(listed: Any) -> list[str]:
    return [item.to_dict()["content"][0]["text"] for item in listed]


def test_a_conversation_is_a_session_that_responses_go_on_in(program: Program, model: Provider) -> None:
    model.script(Answer(words=["A1"]), Answer(words=["A2"]))
    client = program.client()
    made = client.conversations.create(metadata={"topic": "tests"})
    exact(Conversation, made)
    assert made.metadata == {"topic": "tests"}
    assert client.conversations.retrieve(made.id) == made
    first = client.responses.create(model=MODEL, input="Q1", conversation=made.id)
    assert first.conversation is not None
    assert first.conversation.id == made.id
    client.responses.create(model=MODEL, input="Q2", conversation={"id": made.id})
    [session] = program.sessions()
    assert made.id == f"conv_{session['id']}"
    assert program.texts(session["id"]) == ["Q1", "A1", "Q2", "A2"]
    assert extends(model.bodies[1], model.bodies[0])


def test_items_that_it_begins_with_are_sent_and_listed(program: Program, model: Provider) -> None:
    model.script(Answer(reasoning=["hm"], words=["A2"]))
    client = program.client()
    items: Any = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Q1"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A1"}]},
    ]
    made = client.conversations.create(items=items)
    client.responses.create(model=MODEL, input="Q2", instructions="Be brief.", conversation=made.id)
    sent = [each["content"] for each in model.requests[-1].json["messages"]]
    assert sent == ["Be brief.", "Q1", "A1", "Q2"]
    page = client.conversations.items.list(made.id, limit=2)
    exact(ConversationItemList, ConversationItemList.model_validate(page.to_dict()))
    assert [item.type for item in page.data] == ["message", "reasoning"]
    told = [item for item in client.conversations.items.list(made.id, limit=2, order="asc") if item.type == "message"]
    assert texts(told) == ["Q1", "A1", "Q2", "A2"]
    assert len(list(client.conversations.items.list(made.id))) == 5


def test_an_empty_one_lists_nothing(program: Program, model: Provider) -> None:
    client = program.client()
    page = client.conversations.items.list(client.conversations.create().id)
    exact(ConversationItemList, ConversationItemList.model_validate(page.to_dict()))
    assert page.data == []


def test_a_chat_of_the_page_is_a_conversation(program: Program, model: Provider) -> None:
    model.script(Answer(words=["A1"]))
    with program.page() as page:
        session_id = page.call("session.create", title="By hand")["result"]["session"]["id"]
    client = program.client()
    client.responses.create(model=MODEL, input="Q1", conversation=f"conv_{session_id}")
    assert program.texts(session_id) == ["Q1", "A1"]


def test_other_instructions_and_models_answer_in_the_same_session(program: Program, model: Provider) -> None:
    add_profile(program.site.database, "Other", "Be another.")
    model.script(Answer(words=["A1"]), Answer(words=["A2"]), Answer(words=["A3"]))
    client = program.client()
    made = client.conversations.create()
    client.responses.create(model=MODEL, input="Q1", conversation=made.id, instructions="Be brief.")
    client.responses.create(model="Other", input="Q2", conversation=made.id)
    last = client.responses.create(model="Other", input="Q3", conversation=made.id)
    assert [request.json["messages"][0]["content"] for request in model.requests] == [
        "Be brief.",
        "Be another.",
        "Be another.",
    ]
    assert [each["content"] for each in model.requests[-1].json["messages"][1:]] == ["Q1", "A1", "Q2", "A2", "Q3"]
    assert (last.model, len(program.sessions())) == ("Other", 1)


def test_one_in_which_a_turn_runs_is_locked(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    client = program.client()
    made = client.conversations.create()
    begun = client.responses.create(model=MODEL, input="Q1", conversation=made.id, background=True)
    gate.stood(PATIENCE)
    with pytest.raises(openai.ConflictError) as locked:
        client.responses.create(model=MODEL, input="Q2", conversation=made.id)
    assert locked.value.code == "conversation_locked"
    gate.open()
    list(client.responses.retrieve(begun.id, stream=True))
    assert client.responses.create(model=MODEL, input="Q2", conversation=made.id).status == "completed"
