"""Have the providers' SDKs send a conversation as Pydantic AI has made it, without looking at it once more.

Each SDK compares every message with every form that its types know, in search of fields that it would have to rename.
There are none in a conversation, and it takes a third of what it costs to make a request. What is given as
``extra_body`` is merged into the body unseen, and where a field is there already, in its place: so the bytes stay.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeAlias

FIELDS = ("messages", "input", "tools", "system")
"""What a conversation and its prefix consist of, on all wires."""

Create: TypeAlias = Callable[..., Awaitable[Any]]


def examine_nothing(client: Any) -> None:
    """Change a client of OpenAI's SDK or of Anthropic's."""
    of_openai = hasattr(client, "chat")
    resources = [client.chat.completions, client.responses] if of_openai else [client.beta.messages]
    for resource in resources:
        resource.create = _without_a_look(resource.create)


def _without_a_look(create: Create) -> Create:
    @wraps(create)
    async def created(**params: Any) -> Any:
        unseen = {name: params[name] for name in FIELDS if isinstance(params.get(name), list)}
        extra_body = {**unseen, **(params.get("extra_body") or {})}
        return await create(**params | dict.fromkeys(unseen, ()) | {"extra_body": extra_body})

    return created
