"""Requests of programs that people use as front ends, as they were seen or as they are documented: docs/clients.md."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.openai_api.conftest import MODEL, Program, conversation
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

BRIEF = {"role": "system", "content": "Be brief."}
TASK = "### Task:\nGenerate a concise title summarizing the chat history.\n### Chat History:\nUSER: Q1"


def send(program: Program, headers: dict[str, str], **body: Any) -> str:
    """Send a request as a program does; return the answer's text, streamed or not."""
    own = {
        "Authorization": f"Bearer {program.site.tokens[program.user]}",
        "Content-Type": "application/json",
        **headers,
    }
    address = f"{program.site.base_url}/v1/chat/completions"
    request = urllib.request.Request(address, json.dumps({"model": MODEL, **body}).encode(), own)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        text = answer.read().decode()
    if not body.get("stream"):
        return str(json.loads(text)["choices"][0]["message"]["content"])
    chunks = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    return "".join(each["delta"].get("content") or "" for chunk in chunks for each in chunk["choices"])


def chats(program: Program, first: str) -> list[list[str]]:
    """Return the texts of the sessions whose first message is this one."""
    shown = [program.texts(session["id"]) for session in program.sessions()]
    return [texts for texts in shown if texts[0] == first]


@pytest.mark.thorough
def test_llm_goes_on_in_one_session(program: Program, model: Provider) -> None:
    model.script(*(Answer(words=[f"A{number}"]) for number in (1, 2)))
    usage = {"stream": True, "stream_options": {"include_usage": True}}
    assert send(program, {}, messages=conversation(BRIEF, "Q1"), **usage) == "A1"
    assert send(program, {}, messages=conversation(BRIEF, "Q1", "A1", "Q2"), **usage, temperature=0.5) == "A2"
    assert chats(program, "Q1") == [["Q1", "A1", "Q2", "A2"]]


def test_librechat_keeps_one_session_by_its_conversations_id(program: Program, model: Provider) -> None:
    model.script(*(Answer(words=[f"A{number}"]) for number in (1, 2, 3)))
    named = {"X-Conversation-Id": "9c5b94b1-35ad-49bb-b118-8e8fc24abf80"}
    own = {"user": "66f1a2b3c4d5e6f7a8b9c0d1", "stream": True, "stream_options": {"include_usage": True}}
    assert send(program, named, messages=conversation(BRIEF, "Q1"), **own) == "A1"
    assert send(program, named, messages=conversation(BRIEF, "Q1", "A1", "Q2"), **own) == "A2"
    # A sibling: the last question was edited.
    assert send(program, named, messages=conversation(BRIEF, "Q1", "A1", "Q2 edited"), **own) == "A3"
    assert chats(program, "Q1") == [["Q1", "A1", "Q2 edited", "A3"]]


def test_open_webui_keeps_one_session_whatever_its_tasks_ask(program: Program, model: Provider) -> None:
    model.script(*(Answer(words=[text]) for text in ("A1", "a title", "some tags", "A2")))
    named = {"X-OpenWebUI-Chat-Id": "658524c7-14e3-4f55-af3f-4ee20c1db791"}
    tool = {"type": "function", "function": {"name": "get_current_timestamp", "parameters": {"type": "object"}}}
    chat: dict[str, Any] = {"stream": True, "tools": [tool]}
    assert send(program, named, messages=conversation("Q1"), **chat) == "A1"
    for told in ("a title", "some tags"):
        assert send(program, named, messages=conversation(TASK), stream=False, max_tokens=1000) == told
    assert send(program, named, messages=conversation("Q1", "A1", "Q2"), **chat) == "A2"
    assert chats(program, "Q1") == [["Q1", "A1", "Q2", "A2"]]
