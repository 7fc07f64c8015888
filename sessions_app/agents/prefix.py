"""The frozen prefix of a session: system prompt and tool definitions, sent byte for byte in every request."""

from __future__ import annotations

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
        raise NotImplementedError

    @classmethod
    def from_json(cls, text: str) -> FrozenPrefix:
        """The prefix that `to_json` wrote; ValueError if it is none."""
        raise NotImplementedError


def freeze(system_prompt: str, tool_names: Iterable[str]) -> FrozenPrefix:
    """The prefix of a new session; KeyError for a tool that does not exist."""
    raise NotImplementedError
