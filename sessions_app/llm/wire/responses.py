"""OpenAI's Responses, streamed: each event names its type.

Events that Pydantic AI does not use are left out, as are their repetitions of the whole answer: the items in the last
event are read only for what no event before it has said (some servers send only the whole).
"""

from __future__ import annotations

from collections.abc import Iterator

from sessions_app.llm.finish import Finish
from sessions_app.llm.wire.chunks import Chunk, delta
from sessions_app.llm.wire.reading import (
    Frame,
    Reader,
    arguments_of,
    counts_of,
    error_of,
    number_of,
    object_of,
    objects_of,
    text_of,
)

_ENDS = ("response.completed", "response.incomplete", "response.failed")
_BEGINS = ("response.created", "response.in_progress", "response.queued")
_ITEMS = ("function_call", "message", "reasoning")
"""The items that a host without the provider's own tools can meet."""
_THOUGHTS = "response.reasoning_summary_text.delta"
_WORDS = "response.output_text.delta"

FINISHES: dict[str, Finish] = {"content_filter": "content_filter"}
"""`incomplete_details.reason` → why an answer is not whole; any other reason ("max_output_tokens") is a length."""

_Place = tuple[str, int]


class ResponsesReader(Reader):
    """Reads `response.*` events."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, _Place], list[str]] = {}
        self._items: set[str] = set()
        self._ids = _Ids()

    def read(self, name: str, frame: Frame) -> Iterator[Chunk]:
        """See `Reader`."""
        kind = text_of(frame.get("type")) or name
        if kind == "error" or (not kind and error_of(frame) is not None):
            error = error_of(frame) or frame
            if not self.ended:
                yield Chunk({"error": {**error, "message": text_of(error.get("message"))}})
        elif kind in _ENDS:
            yield from self._end(kind, object_of(frame.get("response")))
        elif kind in _BEGINS:
            response = object_of(frame.get("response"))
            yield _named(kind, {"response": response | {"output": [], "usage": None}})
        elif kind.startswith("response.output_item."):
            yield from self._item(kind, frame, object_of(frame.get("item")))
        else:
            yield from self._part(kind, frame)

    def whole(self, body: Frame) -> Iterator[Chunk]:
        """See `Reader`."""
        if (error := error_of(body)) is not None:
            yield Chunk({"error": error})
            return
        yield _named("response.created", {"response": body | {"output": [], "usage": None}})
        yield from self._end("response.completed", body)

    def _part(self, kind: str, frame: Frame) -> Iterator[Chunk]:
        item_id = self._ids.of(_family(kind), frame.get("output_index"), text_of(frame.get("item_id")))
        number = number_of(frame.get("content_index")) or 0
        text = text_of(frame.get("delta"))
        frame = frame | {"item_id": item_id}
        match kind:
            case "response.output_text.delta":
                yield from self._more(_WORDS, (item_id, number), text)
            case "response.refusal.delta":
                self.finish = "refusal"
                yield from self._more(_WORDS, (item_id, number), text)
            case "response.refusal.done":
                self.finish = "refusal"
                yield from self._rest(_WORDS, (item_id, number), text_of(frame.get("refusal")))
            case "response.output_text.done":
                yield from self._rest(_WORDS, (item_id, number), text_of(frame.get("text")))
                yield _named(kind, frame | {"logprobs": objects_of(frame.get("logprobs"))})
            case "response.reasoning_summary_text.delta":
                yield from self._more(_THOUGHTS, (item_id, number_of(frame.get("summary_index")) or 0), text)
            case "response.reasoning_text.delta" if text:
                yield _grown(kind, {"item_id": item_id, "content_index": number, "output_index": 0}, text)
            case "response.function_call_arguments.delta" if text:
                yield _grown(kind, {"item_id": item_id, "output_index": 0}, text)
            case _:
                yield from self._other(kind, frame)

    def _other(self, kind: str, frame: Frame) -> Iterator[Chunk]:
        """Events that bring no more of a text."""
        match kind:
            case "response.reasoning_summary_part.added":
                part = object_of(frame.get("part"))
                yield _named(kind, frame | {"part": part | {"text": text_of(part.get("text"))}})
            case "response.output_text.annotation.added":
                yield _named(kind, frame)
            case "response.function_call_arguments.done":
                yield _named(kind, frame | {"arguments": arguments_of(frame.get("arguments"))})

    def _more(self, kind: str, place: _Place, text: str) -> Iterator[Chunk]:
        """Some more words or thoughts."""
        if text:
            self._said.setdefault((kind, place), []).append(text)
            fields = {"summary_index": place[1]} if kind == _THOUGHTS else {"content_index": place[1], "logprobs": []}
            yield _grown(kind, {"item_id": place[0], "output_index": 0, **fields}, text)

    def _rest(self, kind: str, place: _Place, text: str) -> Iterator[Chunk]:
        """What a whole text says beyond its deltas."""
        said = "".join(self._said.get((kind, place), []))
        if text.startswith(said):
            yield from self._more(kind, place, text[len(said) :])

    def _item(self, kind: str, frame: Frame, item: Frame) -> Iterator[Chunk]:
        if item.get("type") not in _ITEMS:
            return
        given, place = text_of(item.get("id")), frame.get("output_index")
        item_id = self._ids.of(item["type"], place, given, begins=kind == "response.output_item.added")
        item = item | {"id": item_id}
        if kind == "response.output_item.done":
            self._items.add(item_id)
            yield from self._thoughts(item)
            yield from self._content(item)
        if item["type"] == "function_call":
            texts = {name: text_of(item.get(name)) for name in ("call_id", "name")}
            item = item | texts | {"arguments": arguments_of(item.get("arguments"))}
        elif item["type"] == "reasoning":
            item = item | {"encrypted_content": text_of(item.get("encrypted_content")) or None}
        yield _named(kind, frame | {"item": item}, speaks=item.get("type") == "function_call")

    def _content(self, item: Frame) -> Iterator[Chunk]:
        """The words of a whole message that its deltas did not say."""
        for number, part in enumerate(objects_of(item.get("content"))):
            if item.get("type") == "message":
                if text := text_of(part.get("refusal")):
                    self.finish = "refusal"
                yield from self._rest(_WORDS, (item["id"], number), text_of(part.get("text")) or text)

    def _end(self, kind: str, response: Frame) -> Iterator[Chunk]:
        for number, item in enumerate(objects_of(response.get("output"))):
            if self._ids.of(text_of(item.get("type")), number, text_of(item.get("id"))) not in self._items:
                yield from self._item("response.output_item.done", {"output_index": number}, item)
        details = object_of(response.get("incomplete_details"))
        if kind == "response.incomplete" or details or response.get("status") == "incomplete":
            self.finish = self.finish or FINISHES.get(text_of(details.get("reason")), "length")
        if kind != "response.failed" and response.get("status") not in ("failed", "cancelled"):
            self.over(None)
        self.done = self.ended
        told: Frame = {"output": [], "usage": _usage_of(response), "incomplete_details": details or None}
        yield _named(kind, {"response": response | told | {"error": object_of(response.get("error")) or None}})

    def _thoughts(self, item: Frame) -> Iterator[Chunk]:
        """The summary of a reasoning item that no event has said before."""
        if item.get("type") == "reasoning":
            for number, part in enumerate(objects_of(item.get("summary"))):
                yield from self._rest(_THOUGHTS, (item["id"], number), text_of(part.get("text")))


class _Ids:
    """The items of one answer. Gateways give an item another id in each event, or none: then its place tells it."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._places: dict[tuple[str, int | None], str] = {}

    def of(self, family: str, place: object, item_id: str, *, begins: bool = False) -> str:
        """The id by which an item of this family is known, empty where it has none; it may begin here."""
        key = family, number_of(place)
        if begins or (item_id not in self._known and key not in self._places):
            self._places[key] = item_id
            self._known.add(item_id)
        return item_id if item_id and item_id in self._known else self._places[key]


def _usage_of(response: Frame) -> Frame | None:
    """The counts of a response, with those that the SDK needs."""
    counts = counts_of(response.get("usage"))
    return {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0} | counts if counts else None


def _family(kind: str) -> str:
    """The type of the items that events of this kind belong to."""
    if kind.startswith("response.function_call"):
        return "function_call"
    return "reasoning" if kind.startswith("response.reasoning") else "message"


def _named(kind: str, frame: Frame, *, speaks: bool = False) -> Chunk:
    # Providers number and pad their events; both say nothing, and keep nothing apart.
    fields = {name: value for name, value in frame.items() if name != "obfuscation"}
    return Chunk({**fields, "type": kind, "sequence_number": 0}, name=kind, speaks=speaks)


def _grown(kind: str, frame: Frame, text: str) -> Chunk:
    return delta({**frame, "type": kind, "sequence_number": 0, "delta": ""}, ("delta",), text, kind)
