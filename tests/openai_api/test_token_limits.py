"""OpenAI's API by a token that was limited when it was made."""

from __future__ import annotations

import openai
import pytest
from openai import OpenAI

from tests.limited import add_profile, add_token
from tests.openai_api.conftest import MODEL, Program, conversation

NARROW = "Narrow"


def reader(program: Program) -> OpenAI:
    """Return the client of a new token that only reads."""
    return program.client(api_key=add_token(program.site.database, program.user, reads_only=True))


def narrow(program: Program) -> OpenAI:
    """Return the client of a new token of one profile."""
    add_profile(program.site.database, NARROW)
    return program.client(api_key=add_token(program.site.database, program.user, profile=NARROW))


def answered(client: OpenAI, model: str = MODEL, **headers: str) -> str:
    """Say hello, and return the session's id."""
    raw = client.chat.completions.with_raw_response.create(
        model=model, messages=conversation("Hello"), extra_headers={"X-Session-Id": "named", **headers}
    )
    return raw.headers["x-session-id"]


def test_a_token_that_only_reads_lists_models_and_begins_no_turn(program: Program) -> None:
    client = reader(program)
    assert MODEL in [model.id for model in client.models.list()]
    with pytest.raises(openai.PermissionDeniedError) as refused:
        answered(client)
    assert (refused.value.code, refused.value.type) == ("permission_denied", "permission_error")
    assert program.sessions() == []


def test_a_token_of_one_profile_has_that_model_and_its_sessions(program: Program) -> None:
    client = narrow(program)
    assert [model.id for model in client.models.list()] == [NARROW]
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve(MODEL)
    with pytest.raises(openai.NotFoundError) as refused:
        answered(client)
    assert refused.value.code == "model_not_found"
    # A name that stands for a session out of reach takes nothing of it, and the page's user keeps both.
    hidden = answered(program.client())
    mine = answered(client, NARROW)
    assert mine != hidden
    assert answered(client, NARROW, **{"X-Session-Id": hidden}) != hidden
    assert len(program.texts(hidden)) == 2


def test_a_token_that_only_reads_reads_responses_and_changes_nothing(program: Program) -> None:
    own, client = program.client(), reader(program)
    made = own.conversations.create()
    response = own.responses.create(model=MODEL, input="Hello", conversation=made.id)
    assert client.responses.retrieve(response.id) == response
    assert len(client.conversations.items.list(made.id).data) == 2
    for call in (
        lambda: client.responses.create(model=MODEL, input="Hello"),
        lambda: client.responses.cancel(response.id),
        lambda: client.responses.delete(response.id),
        client.conversations.create,
    ):
        with pytest.raises(openai.PermissionDeniedError):
            call()
    assert own.responses.retrieve(response.id) == response


def test_a_token_of_one_profile_finds_no_other_responses(program: Program) -> None:
    own, client = program.client(), narrow(program)
    made = own.conversations.create()
    hidden = own.responses.create(model=MODEL, input="Hello", conversation=made.id)
    for call in (
        lambda: client.responses.retrieve(hidden.id),
        lambda: client.responses.cancel(hidden.id),
        lambda: client.responses.delete(hidden.id),
        lambda: client.responses.input_items.list(hidden.id),
        lambda: client.conversations.retrieve(made.id),
        lambda: client.responses.create(model=NARROW, input="Hello", conversation=made.id),
    ):
        with pytest.raises(openai.NotFoundError):
            call()
    with pytest.raises(openai.BadRequestError):
        client.responses.create(model=NARROW, input="Hello", previous_response_id=hidden.id)
    mine = client.responses.create(model=NARROW, input="Hello")
    assert client.responses.retrieve(mine.id) == mine
