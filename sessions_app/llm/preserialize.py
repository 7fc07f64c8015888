"""Serialise a long transcript that was just read, in slices, so that the event loop is never held long.

In the loop rather than in a thread: the work is Python's own, so a thread would take the same time from the loop, in
slices that nobody chose. Most rows cost a few microseconds (`row_templates`); what only the SDK can map goes the way of
a request, up to the wire, and is not sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from pydantic_ai.direct import model_request_stream
from pydantic_ai.exceptions import ModelHTTPError

from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.rows import Row
from sessions_app.llm.grouping import Group, groups_of, sections_of
from sessions_app.llm.live_model import LiveModel, parameters_of
from sessions_app.llm.row_templates import TemplateCache, TemplatedRow, templated
from sessions_app.llm.wire.splicing import Splice, splice

KNOWN_ROW_SHARE, MAPPED_ROW_SHARE = 1 / 300, 1 / 10
"""Of one slice, a row whose template is known and one that the SDK maps: slices of some 5 ms (0.01 and 0.2 to 0.6 ms a
row with OpenAI's SDK, 0.05 with Anthropic's)."""


async def preserialize(live: LiveModel, transcript: CachedTranscript) -> None:
    """Make elements of the rows that wait, but for the last ones, if more of them wait than a turn adds."""
    templates = TemplateCache(live)
    while rows := transcript.ahead():
        taken = _slice(rows, transcript.model, templates)
        await _learn(live, transcript, templates, taken)
        transcript.keep(await _elements(live, transcript, templates, zip(rows, taken, strict=False)))
        await asyncio.sleep(0)


def _slice(rows: Sequence[Row], model: str, templates: TemplateCache) -> list[TemplatedRow | None]:
    """As many of the rows, taken apart, as make a slice.

    It ends with a user's row, as a request does: so a call stays with its results, and what a wire's mapping looks at
    around the last user message is the same in a slice as in the request it once was.
    """
    taken, weight = list[TemplatedRow | None](), 0.0
    for row in rows:
        taken.append(one := templated(row, model))
        weight += KNOWN_ROW_SHARE if templates.knows(one) else MAPPED_ROW_SHARE
        if weight >= 1 and row.role == "user":
            break
    return taken


async def _learn(
    live: LiveModel, transcript: CachedTranscript, templates: TemplateCache, taken: Iterable[TemplatedRow | None]
) -> None:
    unknown = templates.unknown(taken)
    mapped = await _mapped(live, transcript, [[row.sample] for row in unknown])
    for row, elements in zip(unknown, mapped, strict=True):
        templates.learn(row.template, elements)


async def _elements(
    live: LiveModel,
    transcript: CachedTranscript,
    templates: TemplateCache,
    taken: Iterable[tuple[Row, TemplatedRow | None]],
) -> list[Group]:
    """The elements of a slice, group by group: the SDK maps the rows whose template is not known."""
    sections = list(_sections(taken, templates))
    mapped = iter(await _mapped(live, transcript, [rows for rows, known in sections if known is None]))
    groups: list[Group] = []
    for rows, known in sections:
        groups += [(1, [templates.made(known)])] if known else groups_of(rows, next(mapped))
    return groups


def _sections(
    taken: Iterable[tuple[Row, TemplatedRow | None]], templates: TemplateCache
) -> Iterator[tuple[list[Row], TemplatedRow | None]]:
    """The rows of a slice: each whose template is known by itself, and between them sections for the SDK."""
    for known, consecutive in groupby(taken, key=lambda pair: templates.knows(pair[1])):
        if known:
            yield from (([row], one) for row, one in consecutive)
        else:
            yield from ((section, None) for section in sections_of(row for row, _ in consecutive))


async def _mapped(
    live: LiveModel, transcript: CachedTranscript, sections: Sequence[Sequence[Row]]
) -> list[list[bytes]]:
    """What the SDK makes of each section of rows, all in one request that is never sent. Raises ContentError."""
    if not sections:
        return []
    current = Splice(b"", is_sent=False)
    token = splice.set(current)
    try:
        # The empty section has a marker stand behind the last one: a user's message, as in the request it once was.
        async with model_request_stream(
            live.model,
            transcript.messages([*sections, []]),
            model_settings=live.settings(transcript.session_id),
            model_request_parameters=parameters_of(transcript.prefix),
        ):
            raise AssertionError("what was only to be serialised was sent")
    except ModelHTTPError:
        return current.added[:-1]
    finally:
        splice.reset(token)
