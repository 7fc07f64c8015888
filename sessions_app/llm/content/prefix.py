"""The frozen prefix of a session: system prompt and tool definitions, sent byte for byte in every request.

It is stored with the session as `to_json()`; a profile edited later, or a tool whose description a later version
words better, does not reach a session that has begun.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sessions_app.llm.content import memory


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool's definition as the model sees it; `parameters` is canonical JSON text of its JSON schema."""

    name: str
    description: str
    parameters: str


INSTRUCTIONS = "What the user asks of you in all their chats, in the user's own words:"
"""What stands between a profile's system prompt and its user's instructions: changed, it changes every new prompt."""


@dataclass(frozen=True, slots=True)
class FrozenPrefix:
    """What every request of a session begins with. `tools` are the host's, and `client_tools` those that the session's
    client has brought and runs itself; both are sorted by name. `offered` is what the model is told of.

    `instructions` are the user's own and `memories` what they want to be remembered, as they were when the session was
    made, empty for none. They come last, so that the prompts of all users of a profile begin with the same bytes.
    """

    system_prompt: str
    tools: tuple[ToolSpec, ...]
    instructions: str = ""
    memories: tuple[str, ...] = ()
    client_tools: tuple[ToolSpec, ...] = ()

    @property
    def offered(self) -> tuple[ToolSpec, ...]:
        """All tools, sorted by name; of equal names the client's."""
        return sorted_by_name([*self.tools, *self.client_tools])

    @property
    def prompt(self) -> str:
        """The whole system prompt, as it is sent."""
        instructions = [INSTRUCTIONS, self.instructions] if self.instructions else []
        memories = [memory.HEADING, memory.listed(self.memories)] if self.memories else []
        return "\n\n".join(filter(None, [self.system_prompt, *instructions, *memories]))

    def to_json(self) -> str:
        """Canonical JSON: equal prefixes give equal text, in every process and version of Python.

        What is the session's own comes first and is left out where there is none: it ends with what it would be
        without.
        """
        own = {
            "client_tools": _to_json(self.client_tools),
            "instructions": self.instructions,
            "memories": self.memories,
        }
        own = {name: value for name, value in own.items() if value}
        return canonical({**own, "system_prompt": self.system_prompt, "tools": _to_json(self.tools)})

    @classmethod
    def from_json(cls, text: str) -> FrozenPrefix:
        """The prefix that `to_json` wrote; ValueError if it is none."""
        try:
            stored = json.loads(text)
            tools, brought = _from_json(stored["tools"]), _from_json(stored.get("client_tools", ()))
            memories = tuple(map(str, stored.get("memories", ())))
            return cls(str(stored["system_prompt"]), tools, str(stored.get("instructions", "")), memories, brought)
        except (KeyError, TypeError) as error:
            raise ValueError("this is no frozen prefix") from error


def with_own_words(frozen: str) -> str:
    """The end that the JSON of a prefix has which is this one (as JSON) with what is a session's own: its user's
    instructions or memories, or tools of its client. No other has it.

    A quotation mark that follows a comma stands in no JSON string: it would be escaped.
    """
    return f",{frozen[1:]}"


def freeze(system_prompt: str, tools: Iterable[ToolSpec]) -> FrozenPrefix:
    """The prefix of a new session, the same in whatever order its tools are listed. Of equal names one is kept."""
    return FrozenPrefix(system_prompt, sorted_by_name(tools))


def sorted_by_name(tools: Iterable[ToolSpec]) -> tuple[ToolSpec, ...]:
    """Tools in the order in which models are told of them; of equal names the last."""
    by_name = {tool.name: tool for tool in tools}
    return tuple(by_name[name] for name in sorted(by_name))


def _to_json(tools: Iterable[ToolSpec]) -> list[dict[str, Any]]:
    return [
        {"name": tool.name, "description": tool.description, "parameters": json.loads(tool.parameters)}
        for tool in tools
    ]


def _from_json(stored: Iterable[Any]) -> tuple[ToolSpec, ...]:
    return tuple(ToolSpec(tool["name"], tool["description"], canonical(tool["parameters"])) for tool in stored)


def canonical(value: object) -> str:
    """JSON text with sorted keys and no spaces; ASCII only, so that no encoding can change it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
