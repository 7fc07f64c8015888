"""The tool `remember`: it proposes something for the user's memory, and stores nothing.

The user is asked under the answer, and says yes or no when they like; what they keep reaches the model as every change
of the memory does. So nothing that a web page or a file says can be remembered without a person's word.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sessions_app.llm.content.memory import MAX_MEMORY_CHARACTERS, one_line
from sessions_app.llm.tools.builtin import Arguments, builtin_tool
from sessions_app.llm.tools.sources import Context, ToolError

REMEMBER = "remember"
"""The tool's name."""

_PROPOSED = (
    "Proposed, and not stored: the user is asked whether it shall be remembered. If they agree, you are told with one "
    "of their next messages."
)


class Proposal(Arguments):
    """Arguments of `remember`."""

    text: Annotated[str, Field(description="One fact about the user, as one short sentence that stands by itself")]


async def _remember(context: Context, arguments: Proposal) -> str:
    text = one_line(arguments.text)
    if not text:
        raise ToolError("there is no text.")
    if len(text) > MAX_MEMORY_CHARACTERS:
        raise ToolError(f"at most {MAX_MEMORY_CHARACTERS} characters are kept.")
    if not await context.remembers(context.user_id, context.session_id):
        raise ToolError("memory is switched off in this chat.")
    return _PROPOSED


REMEMBER_TOOL = builtin_tool(
    REMEMBER,
    "Propose a fact about the user to be remembered in all their chats. It is stored only if the user agrees. Propose "
    "what the user asks you to remember, or what stays true and will help later.",
    Proposal,
    _remember,
)
