"""Serialise a long transcript that was just read, in slices, so that the event loop is never held long.

In the loop rather than in a thread: the work is Python's own, so a thread would take the same time from the loop, in
slices that nobody chose. Most rows cost a few microseconds (`forms`); what only the SDK can map goes the way of a
request, up to the wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import groupby

from pydantic_ai.direct import model_request_stream
from pydantic_ai.exceptions import ModelHTTPError

from .forms import Forms, Taken, take
from .history import Row
from .memory import Transcript
from .providers import LiveModel, parameters_of
from .wire.splicing import Splice, splice

LIGHT, HEAVY = 1 / 300, 1 / 10
"""Of one slice, a row whose form is known and one that the SDK maps: slices of some 5 ms (0.01 and 0.2 to 0.6 ms a row
with OpenAI's SDK, 0.05 with Anthropic's)."""


async def rehearse(live: LiveModel, transcript: Transcript) -> None:
    """Make elements of the rows that wait, but for the last ones, if more of them wait than a turn adds."""
    forms = Forms(live)
    while rows := transcript.ahead():
        taken = _slice(rows, transcript.model, forms)
        await _learn(live, transcript, forms, taken)
        added = await _elements(live, transcript, forms, zip(rows, taken, strict=False))
        transcript.keep(added, len(taken))
        await asyncio.sleep(0)


def _slice(rows: Sequence[Row], model: str, forms: Forms) -> list[Taken | None]:
    """As many of the rows, taken apart, as make a slice.

    It ends with a user's row, as a request does: so a call stays with its results, and what a wire's mapping looks at
    around the last user message is the same in a slice as in the request it once was.
    """
    taken, weight = list[Taken | None](), 0.0
    for row in rows:
        taken.append(one := take(row, model))
        weight += LIGHT if forms.knows(one) else HEAVY
        if weight >= 1 and row.role == "user":
            break
    return taken


async def _learn(live: LiveModel, transcript: Transcript, forms: Forms, taken: Iterable[Taken | None]) -> None:
    unknown = forms.unknown(taken)
    mapped = await _mapped(live, transcript, [[row.probe] for row in unknown])
    for row, elements in zip(unknown, mapped, strict=True):
        forms.learn(row.form, elements)


async def _elements(
    live: LiveModel, transcript: Transcript, forms: Forms, taken: Iterable[tuple[Row, Taken | None]]
) -> list[bytes]:
    """The elements of a slice: of rows whose form is known, and between them of those that only the SDK can map."""
    runs = [(known, list(run)) for known, run in groupby(taken, key=lambda one: forms.knows(one[1]))]
    mapped = iter(await _mapped(live, transcript, [[row for row, _ in run] for known, run in runs if not known]))
    elements: list[bytes] = []
    for known, run in runs:
        elements += [forms.made(one) for _, one in run if one] if known else next(mapped)
    return elements


async def _mapped(live: LiveModel, transcript: Transcript, runs: Sequence[Sequence[Row]]) -> list[list[bytes]]:
    """What the SDK makes of each run of rows, all in one request that is never sent."""
    if not runs:
        return []
    current = Splice(b"", rehearsal=True)
    token = splice.set(current)
    try:
        async with model_request_stream(
            live.model,
            transcript.apart(runs),
            model_settings=live.settings(transcript.session_id),
            model_request_parameters=parameters_of(transcript.prefix),
        ):
            raise AssertionError("a rehearsal was sent")
    except ModelHTTPError:
        return current.apart()
    finally:
        splice.reset(token)
