"""`/metrics`: what this process has counted and what it holds, as Prometheus text.

Runner, connections and cache belong to the event loop and are read in it, in one breath, so that the page shows one
moment: Django runs an async view there, also when the middleware before it ran in a thread. The page is written in a
thread, because that takes milliseconds and reads /proc.
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import get_args

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from agentcache import Statistics
from agentcache.statistics import Event
from sessions_app.api import auth, identifying
from sessions_app.metrics import REGISTRY
from sessions_app.turns.runner import Runner

# Fields of Statistics.
_CACHE = {
    "entries": "Agents in the cache.",
    "in_turn": "Agents in the cache that a turn has leased.",
    "leases": "Leases of agents under way, those of retired ones too.",
    "transcripts": "Transcripts held in memory.",
    "bytes": "Size of the transcripts held in memory.",
    "building": "Agents being built.",
    "closing": "Agents being closed.",
}
_LOGIN = "Log in as an administrator, or send an API token that may read metrics.\n"
_REFUSED = "Only administrators, and API tokens with the right to, may read metrics.\n"


@require_safe
@never_cache
async def metrics(request: ASGIRequest) -> HttpResponse:
    """Answer an administrator, or a token that may read metrics; `runner` is in the request's scope."""
    refusal = await _refusal(request)
    if refusal is not None:
        return refusal
    page = _Page(_present(request.scope["runner"]))
    text = await asyncio.to_thread(generate_latest, page)
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


async def _refusal(request: ASGIRequest) -> HttpResponse | None:
    try:
        caller = await identifying.identify(request.scope["headers"], identifying.address_of(request.scope))
        if caller is None:
            raise auth.Unauthorised
        allowed = await caller.read(caller.may_read_metrics)
    except auth.Unauthorised:
        return HttpResponse(_LOGIN, "text/plain", 401, headers={"WWW-Authenticate": "Bearer"})
    return None if allowed else HttpResponse(_REFUSED, "text/plain", 403)


class _Page(Collector):
    """All that is on one page: the present state, then what was counted."""

    def __init__(self, present: Iterable[Metric]) -> None:
        self._present = list(present)

    def collect(self) -> Iterator[Metric]:
        yield from self._present
        yield from REGISTRY.collect()


def _present(runner: Runner) -> Iterator[Metric]:
    yield GaugeMetricFamily("hermes_turns_running", "Turns that run in this process.", len(runner.runs))
    yield GaugeMetricFamily(
        "hermes_connections", "Open WebSockets of this process.", runner.delivery.subscriptions.size
    )
    yield from _cache(runner.pool.statistics())


def _cache(statistics: Statistics) -> Iterator[Metric]:
    for field, told in _CACHE.items():
        yield GaugeMetricFamily(f"hermes_agent_cache_{field}", told, getattr(statistics, field))
    events = CounterMetricFamily("hermes_agent_cache_events", "What happened in the agent cache.", labels=["event"])
    for event in get_args(Event):
        events.add_metric([event], getattr(statistics, event))
    yield events
