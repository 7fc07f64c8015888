"""The messages of a request, made of a session's rows.

`messages_of` is the whole of it, and the oracle of the tests. Production makes the same of the same pieces, at the time
when it has them (`cached_transcript`). The rules, each for a reason that a provider gave:

- A stopped, interrupted or failed answer counts with the text it has. Its reasoning and ids do not: they were cut.
- A blank row counts not at all (providers refuse blank texts), unless it calls a tool.
- A tool call without a result gets one that says so; else the provider refuses the session for ever.
- A tool's row whose call does not stand right before it is left out: providers refuse a result nobody asked for,
  and such a row is made only by a hand in the database, never by a turn.
- A row with a part that cannot be sent (a file that holds nothing) is refused, and with it the request: never sent
  without it.
- What a summary stands in the place of is not sent (`summaries`).
- A branch whose first row that counts is not a user's gets an opening line; Anthropic refuses it otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from sessions_app.llm.content.files import Image, images_in, stand_in
from sessions_app.llm.content.parts import tool_results
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.content.restored import EPOCH, response_of
from sessions_app.llm.content.rows import Row, calls_of, check, counts
from sessions_app.llm.content.summaries import said_of, sent_of

if TYPE_CHECKING:
    from pydantic_ai.messages import BinaryContent, ModelMessage, ModelRequest, UserContent, UserPromptPart

NO_RESULT = "No result: the tool was not run to its end."
PICTURES = "[What the tool {} has brought:]"
"""What stands before a tool's pictures: changed, it changes every prompt with such."""
OPENING = "(The beginning of this conversation was deleted.)"


def messages_of(prefix: FrozenPrefix, rows: Sequence[Row], *, model: str) -> list[ModelMessage]:
    """The messages of a request to `model` (a model string): frozen prefix, then what is sent of the active line."""
    sent = sent_of(rows)
    return [*head_of(prefix), *body_of([*opening_of(sent), *sent], model=model)]


def head_of(prefix: FrozenPrefix) -> list[ModelMessage]:
    """The frozen prefix as messages (its tools travel beside them)."""
    from pydantic_ai.messages import ModelRequest, SystemPromptPart

    if not prefix.prompt:
        return []
    return [ModelRequest(parts=[SystemPromptPart(prefix.prompt, timestamp=EPOCH)])]


def opening_of(rows: Iterable[Row]) -> list[Row]:
    """The opening line, where the first row that counts needs one."""
    first = next(filter(counts, rows), None)
    return [Row("user", OPENING)] if first is not None and first.role == "assistant" else []


def body_of(rows: Sequence[Row], *, model: str) -> list[ModelMessage]:
    """The messages of consecutive rows; a call and its results must be among the same rows. Raises ContentError."""
    messages: list[ModelMessage] = []
    for index, row in enumerate(rows):
        check(row)
        if not counts(row):
            continue
        if row.role == "user":
            messages.append(_said(said_of(row), images_in(row.parts)))
        else:
            messages.append(response_of(row, model))
            if calls := calls_of(row):
                messages.append(_results(calls, rows[index + 1 :]))
    return messages


def _said(text: str, images: Sequence[Image]) -> ModelRequest:
    from pydantic_ai.messages import ModelRequest, UserPromptPart

    if not images:
        return ModelRequest(parts=[UserPromptPart(text, timestamp=EPOCH)])
    shown: list[UserContent] = [*_binary(images), *([text] if text.strip() else [])]
    return ModelRequest(parts=[UserPromptPart(shown, timestamp=EPOCH)])


def _binary(images: Iterable[Image]) -> list[BinaryContent]:
    from pydantic_ai.messages import BinaryContent

    return [BinaryContent(stand_in(image.name), media_type=image.media_type) for image in images]


def _results(calls: dict[str, str], following: Sequence[Row]) -> ModelRequest:
    """One message with a result for each call, in the order of the calls, from the tool rows right behind them.

    Pictures stand behind all results, because OpenAI's wires take none within them.
    """
    from pydantic_ai.messages import ModelRequest, ToolReturnPart

    results: dict[str, Row] = {}
    for row in takewhile(lambda row: row.role == "tool", following):
        for result in tool_results(row.parts):
            results.setdefault(result.id, row)
    texts = {call_id: row.text for call_id, row in results.items()}
    shown = [part for call_id in calls if call_id in results for part in _pictures(calls[call_id], results[call_id])]
    told = [
        ToolReturnPart(name, texts.get(call_id, NO_RESULT), call_id, timestamp=EPOCH) for call_id, name in calls.items()
    ]
    return ModelRequest(parts=[*told, *shown])


def _pictures(tool: str, row: Row) -> list[UserPromptPart]:
    from pydantic_ai.messages import UserPromptPart

    if not (images := images_in(row.parts)):
        return []
    return [UserPromptPart([PICTURES.format(tool), *_binary(images)], timestamp=EPOCH)]
