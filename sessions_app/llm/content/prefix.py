"""The frozen prefix of a session: system prompt and tool definitions, sent byte for byte in every request.

It is stored with the session as `to_json()`; a profile edited later, or a tool whose description a later version
words better, does not reach a session that has begun.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool's definition as the model sees it; `parameters` is canonical JSON text of its JSON schema."""

    name: str
    description: str
    parameters: str


@dataclass(frozen=True, slots=True)
class FrozenPrefix:
    """What every request of a session begins with. `tools` are sorted by name."""

    system_prompt: str
    tools: tuple[ToolSpec, ...]

    def to_json(self) -> str:
        """Canonical JSON: equal prefixes give equal text, in every process and version of Python."""
        tools = [
            {"name": tool.name, "description": tool.description, "parameters": json.loads(tool.parameters)}
            for tool in self.tools
        ]
        return canonical({"system_prompt": self.system_prompt, "tools": tools})

    @classmethod
    def from_json(cls, text: str) -> FrozenPrefix:
        """The prefix that `to_json` wrote; ValueError if it is none."""
        try:
            stored = json.loads(text)
            tools = [
                ToolSpec(tool["name"], tool["description"], canonical(tool["parameters"])) for tool in stored["tools"]
            ]
            return cls(str(stored["system_prompt"]), tuple(tools))
        except (KeyError, TypeError) as error:
            raise ValueError("this is no frozen prefix") from error


def freeze(system_prompt: str, tools: Iterable[ToolSpec]) -> FrozenPrefix:
    """The prefix of a new session, the same in whatever order its tools are listed. Of equal names one is kept."""
    by_name = {tool.name: tool for tool in tools}
    return FrozenPrefix(system_prompt, tuple(by_name[name] for name in sorted(by_name)))


def canonical(value: object) -> str:
    """JSON text with sorted keys and no spaces; ASCII only, so that no encoding can change it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
