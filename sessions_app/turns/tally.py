"""What turns add to the figures of `/metrics`, at their end.

The label `model` is Hermes's own model string, of which there are as many as profiles name; what a provider calls
its model could be anything. Where all values of a label are known, they are there from the start with 0: Prometheus
sees no rise in a series that begins with 1.
"""

from __future__ import annotations

from itertools import product
from typing import get_args

from prometheus_client import Counter, Histogram, Info

from sessions_app.conversations.ledger_schemas import GuardShape
from sessions_app.conversations.turn_results import TurnResult
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.cache_ledger.entries import Entry
from sessions_app.llm.cache_ledger.software import SOFTWARE
from sessions_app.llm.usage import Usage
from sessions_app.metrics import REGISTRY

_FIRST_WORD = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_DURATION = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


def _counter(name: str, help_text: str, *labels: str) -> Counter:
    return Counter(f"hermes_{name}", help_text, labels, registry=REGISTRY)


def _histogram(name: str, help_text: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(f"hermes_{name}_seconds", help_text, ["model"], registry=REGISTRY, buckets=buckets)


ENDED = _counter("turns_ended", "Turns that this process ran to their stored end.", "status", "model")
RECOVERED = _counter("turns_recovered", "Turns of dead processes that this one ended as interrupted.")
DURATION = _histogram("turn_duration", "From a turn's beginning in this process until its end was stored.", _DURATION)
FIRST_WORD = _histogram("turn_first_word", "From a turn's beginning in this process to its first word.", _FIRST_WORD)
VERDICTS = _counter("guard_verdicts", "Decisions of the guard, one for each turn.", "agent", "transcript")
TOKENS = _counter("tokens", "Tokens that providers have counted; the kinds are disjoint.", "kind", "model")
EXPECTED = _counter("expected_tokens", "Prompt tokens that should have come from the provider's cache.", "model")
MISSES = _counter("prompt_cache_misses", "Turns for which a provider's cache had less than expected.", "cause")
COST = _counter("cost_dollars", "List price of the tokens of models whose price is known.", "model")
UNCACHED = _counter("uncached_cost_dollars", "What the same tokens would have cost without a cache.", "model")
Info("hermes_build", "Digest of what turns rows into a prompt's bytes.", registry=REGISTRY).info({"software": SOFTWARE})

for _verdict in product(*(get_args(GuardShape.model_fields[name].annotation) for name in ("agent", "transcript"))):
    VERDICTS.labels(*_verdict)
for _cause in Cause:
    MISSES.labels(_cause)


def count(model: str, ending: TurnResult, *, lasted: float, first_word: float | None) -> None:
    """Count a turn whose end is stored: `lasted` and `first_word` (None: it said none) are seconds from its beginning.

    Never raises: its caller has more to do for the turn.
    """
    ENDED.labels(ending.status, model).inc()
    DURATION.labels(model).observe(lasted)
    if first_word is not None:
        FIRST_WORD.labels(model).observe(first_word)
    if ending.guarded is not None:
        VERDICTS.labels(ending.guarded.agent, ending.guarded.transcript).inc()
    count_request(model, ending.usage, ending.entry)


def count_request(model: str, usage: Usage, entry: Entry | None) -> None:
    """Count what requests to a model have cost: those of a turn, or one beside the turns. Never raises."""
    _count_tokens(model, usage)
    if entry is not None:
        _count_entry(model, entry)


def _count_tokens(model: str, usage: Usage) -> None:
    _add(TOKENS.labels("fresh", model), usage.fresh_tokens)
    _add(TOKENS.labels("cache_write", model), usage.cache_write_tokens)
    _add(TOKENS.labels("cached", model), usage.cached_tokens)
    _add(TOKENS.labels("answer", model), usage.answer_tokens)
    _add(TOKENS.labels("reasoning", model), usage.reasoning_tokens)


def _count_entry(model: str, entry: Entry) -> None:
    EXPECTED.labels(model).inc(entry.expected)
    if entry.miss is not None:
        MISSES.labels(entry.miss).inc()
    if entry.cost is not None and entry.saved is not None:
        _add(COST.labels(model), float(entry.cost))
        _add(UNCACHED.labels(model), float(entry.cost + entry.saved))


def _add(counter: Counter, amount: float) -> None:
    """A provider's counts may contradict each other; a counter refuses to fall."""
    counter.inc(max(0, amount))
