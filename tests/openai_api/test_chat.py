"""Chat completions by OpenAI's official client, unmodified; every answer is held against its own types."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import openai
import pytest
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.limited import add_profile
from tests.openai_api.conftest import MODEL, Program, conversation
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate

_REVOKE = """
DELETE FROM sessions_app_apitoken WHERE owner_id = (SELECT id FROM auth_user WHERE username = %s)
"""


def strict(kind: Any, answer: Any) -> None:
    """Hold an answer against the type that OpenAI publishes, with no conversion."""
    assert kind.model_validate_json(answer.model_dump_json(), strict=True) == answer
    assert not answer.model_extra


def test_models_are_the_profiles_of_the_user(program: Program) -> None:
    program.site.database.run("INSERT INTO auth_group (name) VALUES ('nobody is in it')")
    add_profile(program.site.database, "Hidden", group="nobody is in it")
    listed = program.client().models.list().data
    for model in listed:
        strict(Model, model)
    assert MODEL in [model.id for model in listed]
    assert "Hidden" not in [model.id for model in listed]
    assert {model.owned_by for model in listed} == {"hermes-site"}
    assert program.client().models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError):
        program.client().models.retrieve("Hidden")


def test_an_answer_as_a_whole_is_a_session_in_the_page(program: Program, model: Provider) -> None:
    model.script(Answer(words=["Good ", "day."]))
    answer = program.client().chat.completions.create(model=MODEL, messages=conversation("Hello there"))
    strict(ChatCompletion, answer)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Good day.", "stop")
    [session] = program.sessions()
    assert session["title"] == "Hello there"
    assert program.texts(session["id"]) == ["Hello there", "Good day."]


def test_a_streamed_answer_comes_as_chunks_with_usage(program: Program, model: Provider) -> None:
    model.script(Answer(words=["Good ", "day."]), Answer(words=["And ", "night."]))
    messages = conversation("Hello")
    program.client().chat.completions.create(model=MODEL, messages=messages)
    messages += conversation("x", "Good day.")[1:] + conversation("More")
    options: Any = {"include_usage": True}
    chunks = list(
        program.client().chat.completions.create(model=MODEL, messages=messages, stream=True, stream_options=options)
    )
    for chunk in chunks:
        strict(ChatCompletionChunk, chunk)
    *told, last = chunks
    assert "".join(chunk.choices[0].delta.content or "" for chunk in told) == "And night."
    assert [chunk.choices[0].finish_reason for chunk in told][-1] == "stop"
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.prompt_tokens_details is not None
    assert (last.usage.completion_tokens, last.usage.prompt_tokens) == (2, model.counts[-1].prompt)
    assert last.usage.prompt_tokens_details.cached_tokens == model.counts[-1].cached
    assert model.counts[-1].cached > 0


def test_a_stream_without_usage_tells_none(program: Program) -> None:
    chunks = list(program.client().chat.completions.create(model=MODEL, messages=conversation("Hello"), stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


def test_the_page_sees_the_turn_live(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    with program.page() as page:
        stream = program.client().chat.completions.create(model=MODEL, messages=conversation("Live?"), stream=True)
        created = page.until(lambda frame: frame.get("params", {}).get("event", {}).get("name") == "session.created")
        session_id = created["params"]["event"]["value"]["id"]
        opened = page.call("session.open", session_id=session_id)["result"]
        assert opened["run"] is not None
        gate.open()
        page.until(lambda frame: frame.get("params", {}).get("event", {}).get("type") == "RUN_FINISHED")
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "one two"


def test_a_client_that_leaves_stops_nothing(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    with program.page() as page:
        stream = program.client().chat.completions.create(model=MODEL, messages=conversation("Bye"), stream=True)
        assert next(iter(stream)).choices[0].delta.role == "assistant"
        stream.close()
        created = page.until(lambda frame: frame.get("params", {}).get("event", {}).get("name") == "session.created")
        gate.open()
        page.until(lambda frame: frame.get("params", {}).get("event", {}).get("name") == "turn.ended")
    assert program.texts(created["params"]["event"]["value"]["id"]) == ["Bye", "one two"]


def test_a_system_prompt_is_the_sessions_own(program: Program, model: Provider) -> None:
    system = {"role": "system", "content": "Talk like a pirate."}
    program.say(system, "Hello")
    sent = model.requests[-1].json["messages"]
    assert sent == [{"role": "system", "content": "Talk like a pirate."}, {"role": "user", "content": "Hello"}]
    program.say({"role": "developer", "content": "Talk like a sailor."}, "Hello")
    assert model.requests[-1].json["messages"][0]["content"] == "Talk like a sailor."
    assert len(program.sessions()) == 2


def test_what_is_wanted_of_the_answer_reaches_the_provider(program: Program, model: Provider) -> None:
    form: Any = {"type": "json_schema", "json_schema": {"name": "point", "schema": {"type": "object"}}}
    program.say(
        "Hello",
        max_completion_tokens=77,
        temperature=0.25,
        top_p=0.5,
        stop=["END", "STOP"],
        reasoning_effort="low",
        response_format=form,
        user="ignored",
        seed=5,
    )
    sent = model.requests[-1].json
    assert sent.get("max_completion_tokens", sent.get("max_tokens")) == 77
    assert (sent["temperature"], sent["top_p"], sent["stop"]) == (0.25, 0.5, ["END", "STOP"])
    assert (sent["reasoning_effort"], sent["response_format"]) == ("low", form)


def test_what_one_turn_wants_the_next_does_not(program: Program, model: Provider) -> None:
    model.script(Answer(words=["Yes."]), Answer(words=["No."]))
    program.say("Hello", temperature=0.25, max_tokens=9)
    program.say("Hello", "Yes.", "And now?")
    first, second = (request.json for request in model.requests)
    assert first["temperature"] == 0.25
    assert "temperature" not in second
    assert second["messages"][: len(first["messages"])] == first["messages"]


def test_an_answer_in_steps_is_one_text_and_is_known_again(program: Program, model: Provider) -> None:
    call = Call("calculator", '{"expression":"6 * 7"}')
    model.script(Answer(words=["Let me see."], calls=[call]), Answer(words=["It is 42."]), Answer(words=["Yes."]))
    said = program.say("What is 6 * 7?")
    assert said == "Let me see.\n\nIt is 42."
    program.say("What is 6 * 7?", said, "Sure?")
    [session] = program.sessions()
    assert program.texts(session["id"])[-2:] == ["Sure?", "Yes."]


def test_the_limit_of_the_answer_is_told(program: Program, model: Provider) -> None:
    body = {"choices": [{"index": 0, "delta": {"content": "cut"}, "finish_reason": "length"}]}
    model.script(Answer(raw=[f"data: {json.dumps(body)}\n\ndata: [DONE]\n\n".encode()]))
    answer = program.client().chat.completions.create(model=MODEL, messages=conversation("Long"))
    assert answer.choices[0].finish_reason == "length"


def test_a_provider_that_fails_is_a_server_error_and_no_second_turn(program: Program, model: Provider) -> None:
    model.script(Answer(status=400))
    with pytest.raises(openai.InternalServerError) as failed:
        program.client(max_retries=2).chat.completions.create(model=MODEL, messages=conversation("Hello"))
    assert (failed.value.status_code, failed.value.code) == (502, "provider")
    assert len(model.requests) == 1


def test_a_failure_in_the_midst_of_a_stream_is_told_in_it(program: Program, model: Provider) -> None:
    model.script(Answer(words=["one ", "two"], error=1))
    stream = program.client().chat.completions.create(model=MODEL, messages=conversation("Hello"), stream=True)
    with pytest.raises(openai.APIError, match=r".+"):
        list(stream)


def test_a_revoked_token_ends_its_stream_and_not_the_turn(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    stream = program.client().chat.completions.create(model=MODEL, messages=conversation("Secret"), stream=True)
    chunks = iter(stream)
    next(chunks)
    program.site.database.run(_REVOKE, program.user)
    with pytest.raises(openai.APIError):
        list(chunks)
    gate.open()


@pytest.mark.parametrize("key", ["wrong", "hermes_unknown"])
def test_without_a_valid_token_nobody_is_let_in(program: Program, key: str) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        program.client(api_key=key).models.list()
    assert refused.value.code == "invalid_api_key"


def test_a_cookie_alone_is_no_token(program: Program) -> None:
    request = urllib.request.Request(f"{program.site.base_url}/v1/models", headers={"Cookie": "sessionid=whatever"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 401
    with refused.value:
        assert json.load(refused.value)["error"]["type"] == "invalid_request_error"


_LIMIT = """
INSERT INTO sessions_app_budget (user_id, per, unit, amount, warn_at)
SELECT id, 'month', 'tokens', 10, 80 FROM auth_user WHERE username = %s
"""


def test_a_budget_that_is_used_up_is_told_with_the_time_to_wait(program: Program, model: Provider) -> None:
    """And the client does not send it again by itself, which it would do with a 429."""
    program.site.database.run(_LIMIT, program.user)
    with pytest.raises(openai.RateLimitError) as refused:
        program.client(max_retries=3).chat.completions.create(model=MODEL, messages=conversation("Hello"))
    assert (refused.value.code, refused.value.type) == ("insufficient_quota", "insufficient_quota")
    assert 0 < int(refused.value.response.headers["retry-after"]) <= 31 * 86_400
    assert "Personal, tokens per month" in refused.value.message
    with pytest.raises(openai.RateLimitError):
        program.client().responses.create(model=MODEL, input="Hello")
    assert (model.requests, program.sessions()) == ([], [])
    program.site.database.run("UPDATE sessions_app_budget SET amount = 1000000")
    assert program.say("Hello")
