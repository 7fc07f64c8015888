"""Where the tools of this site are registered (`site_tools`), and found by name.

A new tool of our own is a line there and a function in `builtin`; a new source implements `ToolSource`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.content.prefix import FrozenPrefix, ToolSpec, freeze
from sessions_app.llm.tools.builtin import CALCULATOR, SEARCH_CHATS, BuiltinTools
from sessions_app.llm.tools.remembering import REMEMBER_TOOL
from sessions_app.llm.tools.sources import TOOL_ERROR, Context, Standing, ToolError, ToolOutput, ToolSource
from sessions_app.llm.tools.web import WEB_NAMES, web_tools

_BUILTIN = (CALCULATOR, SEARCH_CHATS, REMEMBER_TOOL)
OWN_NAMES = WEB_NAMES | {tool.spec.name for tool in _BUILTIN}
"""Of all tools of this site, also of those that are switched off: no other source's tool may have one of these names,
since a session may know a tool that is switched off, or on, later."""

logger = logging.getLogger(__name__)


class ToolRegistry:
    """Lives as long as the agents that use it. Of two tools with one name the earlier source's counts."""

    def __init__(self, sources: Sequence[ToolSource]) -> None:
        self._sources = sources

    @property
    def identity(self) -> list[str]:
        """What agents are built from."""
        return [source.identity for source in self._sources]

    def specs(self) -> dict[str, ToolSpec]:
        """The tools that are there now, by name."""
        return {spec.name: spec for source in reversed(self._sources) for spec in source.specs()}

    def freeze(self, system_prompt: str, names: Iterable[str], others: Iterable[ToolSpec] = ()) -> FrozenPrefix:
        """The prefix of a session that begins now with these tools; those that are not there are left out.

        `others` are tools that nobody names: those of a profile's tool servers. Of equal names ours counts.
        """
        specs = self.specs()
        return freeze(system_prompt, [*others, *(specs[name] for name in names if name in specs)])

    async def standing(self, context: Context, name: str) -> Standing:
        """Tell whether a tool may be called now; one that is not there is off."""
        source = self._source_of(name)
        return Standing.OFF if source is None else await source.standing(context, name)

    def has_effects(self, name: str) -> bool:
        """Whether a call of a tool may change something outside of this host."""
        source = self._source_of(name)
        return source is not None and source.has_effects

    async def call(self, context: Context, call: ToolCall) -> ToolOutput:
        """Run a call; what went wrong is told in the output's text, for the model to read.

        Whoever calls has asked whether a person must be asked before.
        """
        source = self._source_of(call.name)
        if source is None:
            return no_tool(call)
        try:
            return await source.call(context, call)
        except ToolError as error:
            return ToolOutput(f"{TOOL_ERROR}{error}")
        except Exception:
            # A tool's failure is the model's to explain, not the turn's end.
            logger.exception("the tool %s failed", call.name)
            return ToolOutput(f"{TOOL_ERROR}the tool failed.")

    def _source_of(self, name: str) -> ToolSource | None:
        return next((source for source in self._sources if source.has(name)), None)


def no_tool(call: ToolCall) -> ToolOutput:
    """The result of a call of a tool that is not there."""
    return ToolOutput(f"{TOOL_ERROR}there is no tool {call.name!r}.")


def site_tools(*others: ToolSource) -> ToolRegistry:
    """The tools that this site's profiles may name, and those of other sources."""
    return ToolRegistry([BuiltinTools(*_BUILTIN), *web_tools(), *others])
