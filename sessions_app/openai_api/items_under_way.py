"""Items of a response while they are made: each tells its beginning, its pieces and its end as OpenAI's events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sessions_app.openai_api.ids import message_item_id
from sessions_app.openai_api.items import IN_PROGRESS, Item, answer_item, call_item, text_part, thought_item

Event = dict[str, Any]


def _added(item: Item, index: int) -> Event:
    return {"type": "response.output_item.added", "item": item, "output_index": index}


def _done(item: Item, index: int) -> Event:
    return {"type": "response.output_item.done", "item": item, "output_index": index}


class Thought:
    """A thought; ``index`` is its place in the response."""

    def __init__(self, item_id: str, index: int) -> None:
        self._item_id = item_id
        self._index = index
        self._pieces: list[str] = []
        self._place = {"item_id": item_id, "output_index": index, "summary_index": 0}

    def begin(self) -> Iterator[Event]:
        """Tell that it begins."""
        yield _added(thought_item(self._item_id, None), self._index)
        part = {"type": "summary_text", "text": ""}
        yield {"type": "response.reasoning_summary_part.added", **self._place, "part": part}

    def add(self, delta: str) -> Iterator[Event]:
        """Tell more of it."""
        self._pieces.append(delta)
        yield {"type": "response.reasoning_summary_text.delta", **self._place, "delta": delta}

    def end(self) -> Iterator[Event]:
        """Tell its end."""
        text = "".join(self._pieces)
        part = {"type": "summary_text", "text": text}
        yield {"type": "response.reasoning_summary_text.done", **self._place, "text": text}
        yield {"type": "response.reasoning_summary_part.done", **self._place, "part": part}
        yield _done(thought_item(self._item_id, text), self._index)


class Call:
    """A call of a program's tool; ``index`` is its place in the response."""

    def __init__(self, item_id: str, call_id: str, name: str, index: int) -> None:
        self._named = (item_id, call_id, name)
        self._index = index
        self._pieces: list[str] = []
        self._place = {"item_id": item_id, "output_index": index}

    def begin(self) -> Iterator[Event]:
        """Tell that it begins."""
        yield _added(call_item(*self._named, "", IN_PROGRESS), self._index)

    def add(self, delta: str) -> Iterator[Event]:
        """Tell more of its arguments."""
        self._pieces.append(delta)
        yield {"type": "response.function_call_arguments.delta", **self._place, "delta": delta}

    def end(self, status: str) -> Iterator[Event]:
        """Tell its end."""
        arguments = "".join(self._pieces) or "{}"
        yield {"type": "response.function_call_arguments.done", **self._place, "arguments": arguments}
        yield _done(call_item(*self._named, arguments, status), self._index)


class Answer:
    """An answer's text. It has an item, at the ``next_index``, from its first word on that is not blank.

    ``has_ended``: no more words come; it is told when it is known whether it is whole.
    """

    def __init__(self, message_id: str, next_index: Callable[[], int]) -> None:
        self.message_id = message_id
        self.has_ended = False
        self._item_id = message_item_id(message_id)
        self._next_index = next_index
        self._index: int | None = None
        self._pieces: list[str] = []

    def add(self, delta: str) -> Iterator[Event]:
        """Tell more of it."""
        self._pieces.append(delta)
        if self._index is None:
            delta = "".join(self._pieces)
            if not delta.strip():
                return
            self._index = self._next_index()
            yield _added(answer_item(self._item_id, None, IN_PROGRESS), self._index)
            yield {"type": "response.content_part.added", **self._place, "part": text_part("")}
        yield {"type": "response.output_text.delta", **self._place, "delta": delta, "logprobs": []}

    def end(self, status: str) -> Iterator[Event]:
        """Tell its end."""
        if self._index is None:
            return
        text = "".join(self._pieces)
        yield {"type": "response.output_text.done", **self._place, "text": text, "logprobs": []}
        yield {"type": "response.content_part.done", **self._place, "part": text_part(text)}
        yield _done(answer_item(self._item_id, text, status), self._index)

    @property
    def _place(self) -> Event:
        return {"item_id": self._item_id, "output_index": self._index, "content_index": 0}
