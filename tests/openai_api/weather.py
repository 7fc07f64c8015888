"""A program with a tool of its own: it asks about the weather, and knows it."""

from __future__ import annotations

import json
from typing import Any

from openai import OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionMessage

from tests.openai_api.conftest import MODEL
from tests.providers.script import Call

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def tool(name: str, **more: Any) -> Any:
    """The definition of a function."""
    return {"type": "function", "function": {"name": name, "parameters": PARAMETERS, **more}}


TOOLS: Any = [tool("weather", description="The weather of a city.")]


def asks(city: str, call_id: str = "", name: str = "weather") -> Call:
    """A call of the model's, with blanks in its arguments that a program writes otherwise."""
    return Call(name, f'{{ "city": "{city}"}}', call_id)


def called(*calls: tuple[str, str], text: str | None = None) -> dict[str, Any]:
    """An assistant's message with calls (id, city), as a program writes it."""
    made = [
        {"id": call_id, "type": "function", "function": {"name": "weather", "arguments": json.dumps({"city": city})}}
        for call_id, city in calls
    ]
    return {"role": "assistant", "content": text, "tool_calls": made}


def result(call_id: str, text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def ask(client: OpenAI, messages: list[Any], **options: Any) -> ChatCompletionMessage:
    """Have a conversation answered, and append the answer to it."""
    given = {"tools": TOOLS, **options}
    completion: ChatCompletion = client.chat.completions.create(model=MODEL, messages=messages, **given)
    message = completion.choices[0].message
    messages.append(message)
    return message


def run_tools(messages: list[Any]) -> None:
    """Append the results of the calls that a conversation ends with: it is sunny everywhere."""
    calls = [(call.id, json.loads(call.function.arguments)["city"]) for call in messages[-1].tool_calls]
    messages += [result(call_id, f"sunny in {city}") for call_id, city in calls]
