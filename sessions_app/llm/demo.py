"""The demo model: no key, no network, and honest about it. It streams Markdown and calls real tools when asked."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, UserContent
    from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel

_ASKED_TO_CALCULATE = re.compile(r"\s*(?:calculate|compute|what is|what's|=)\s*:?\s*(.+?)[\s?.!=]*", re.I | re.S)
_EXPRESSION = re.compile(r"[-+]?[\d(][\d\s.()]*(?:(?:\*\*|//|[-+*/%])[\s()\d.]*[\d)][\d\s.()]*)+")
_ASKED_TO_SEARCH = re.compile(r"\s*(?:search|find)\b(?:\s+(?:my\s+chats\s+)?for\b)?\s*:?\s*(.+?)[\s?.!]*", re.I | re.S)

MAX_COMMAND_CHARACTERS = 500
"""Characters. What is longer asks for no tool: the patterns' time grows with the square of the length."""

WELCOME = """\
## This is the demo model

I am a **stand-in**: no language model answers here, only a few lines of Python. Everything around me is real: the \
streaming, the tools, the transcript in the database, and this page.

Try one of these:

- `calculate (17 + 4) * 2 / 3` makes me call the calculator
- `search demo` makes me look through your own chats
- the stop button, a second tab, or the admin pages

To talk to a real model, set two variables and start again:

```bash
export HERMES_MODEL=openai:gpt-5-mini
export OPENAI_API_KEY=your-key
```

| Model | `HERMES_MODEL` | also needed |
| --- | --- | --- |
| OpenAI | `openai:gpt-5-mini` | `OPENAI_API_KEY` |
| Anthropic | `anthropic:claude-sonnet-5-5` | `ANTHROPIC_API_KEY` |
| a server of your own | `openai-chat:NAME` | `OPENAI_BASE_URL` |
| Ollama | `ollama:llama3.2` | `OLLAMA_BASE_URL` |

A formula, to see whether it looks right: $e^{i\\pi} + 1 = 0$.
"""


def demo_model(pause: float) -> FunctionModel:
    """The demo model; `pause` is the seconds between a few words, 0 for none."""
    from pydantic_ai.models.function import FunctionModel

    async def answer(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | dict[int, DeltaToolCall]]:
        text, results = _asked(messages)
        tools = {tool.name for tool in info.function_tools}
        if not results and (call := _call(text, tools, len(messages))):
            yield {0: call}
            return
        for piece in _pieces(_told(results) if results else WELCOME):
            await asyncio.sleep(pause)
            yield piece

    return FunctionModel(stream_function=answer, model_name="demo")


def _asked(messages: list[ModelMessage]) -> tuple[str, list[tuple[str, str]]]:
    """The last thing the user said, and the (tool, result) pairs that have come since."""
    from pydantic_ai.messages import ModelRequest, ToolReturnPart, UserPromptPart

    text, results = "", list[tuple[str, str]]()
    for message in messages:
        if not isinstance(message, ModelRequest):
            continue
        for part in message.parts:
            if isinstance(part, UserPromptPart):
                text, results = _text_of(part.content), []
            elif isinstance(part, ToolReturnPart):
                results.append((part.tool_name, str(part.content)))
    return text, results


def _text_of(content: str | Sequence[UserContent]) -> str:
    return content if isinstance(content, str) else "\n".join(piece for piece in content if isinstance(piece, str))


def _call(text: str, tools: set[str], place: int) -> DeltaToolCall | None:
    """The tool call that the text asks for. Its id comes from the place in the conversation: same history, same id."""
    from pydantic_ai.models.function import DeltaToolCall

    name, arguments = "", {}
    if len(text) > MAX_COMMAND_CHARACTERS:
        return None
    if (query := _ASKED_TO_SEARCH.fullmatch(text)) and "search_chats" in tools:
        name, arguments = "search_chats", {"query": query[1]}
    elif (expression := _expression(text)) and "calculator" in tools:
        name, arguments = "calculator", {"expression": expression}
    return DeltaToolCall(name, json.dumps(arguments), tool_call_id=f"demo_call_{place}") if name else None


def _expression(text: str) -> str | None:
    """The arithmetic in a text: what follows "calculate" (or is alike), if it has a digit; else one inside it."""
    if (asked := _ASKED_TO_CALCULATE.fullmatch(text)) and re.search(r"\d", asked[1]):
        return asked[1]
    inside = _EXPRESSION.search(text)
    return inside[0].strip() if inside else None


def _told(results: list[tuple[str, str]]) -> str:
    """The answer that uses the results."""
    told = [
        f"### The calculator says\n\n```\n{result}\n```\n"
        if name == "calculator"
        else f"### Found in your chats\n\n{_quoted(result)}\n"
        for name, result in results
    ]
    return "\n".join([*told, "(I am the demo model: the tool was real, this sentence is canned.)"])


def _quoted(result: str) -> str:
    return "\n".join(f"> {line}  " for line in result.splitlines())


def _pieces(text: str) -> list[str]:
    """The text in pieces of a few words, spaces kept."""
    return re.findall(r"(?:\S+\s*){1,3}", text)
