"""The registry of what this process counts, for `/metrics`.

A figure stands in the module in which it happens and is registered here; what is state and no event (running turns,
connections, the agent cache) is read when somebody asks (`hermes_site.metrics`). The event loop counts, a thread
writes the page: each value of prometheus_client has a lock of its own. A label has few values, known beforehand:
never a user, a session or a run.
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

# Else each counter would be told twice, the second time with the moment at which it began.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the one function there without types

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)
