"""Traces of turns, by OpenTelemetry, where ``begin`` was called; else every function here does next to nothing.

Spans have ids, names, counts and times, never a word of what was said; of exceptions, the class alone. A span that has
ended is put into a bounded queue and sent by a thread of the SDK's: a collector that is down, or hangs, costs spans and
nothing else. OpenTelemetry is loaded by ``begin`` alone.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

logger = logging.getLogger(__name__)

SERVICE = "hermes-site"
FLUSH_SECONDS = 5.0
"""For what is still to be sent when the process ends."""

_FOLLOWED = {b"traceparent", b"tracestate"}

Attributes = Mapping[str, Any]


class Span:
    """Something that takes time. One that is not recorded takes what it is told, and forgets it."""

    def note(self, attributes: Attributes) -> None:
        """Note what is known of it by now; what is None or empty is left out."""

    def end(self, error: BaseException | str | None = None) -> None:
        """End it; ``error`` is what it failed with, or that's code."""


class _Recorded(Span):
    def __init__(self, span: Any) -> None:
        self.span = span

    def note(self, attributes: Attributes) -> None:
        self.span.set_attributes({name: value for name, value in attributes.items() if value not in (None, "", ())})

    def end(self, error: BaseException | str | None = None) -> None:
        if error is not None:
            from opentelemetry.trace import StatusCode

            self.span.set_attribute("error.type", error if isinstance(error, str) else type(error).__qualname__)
            self.span.set_status(StatusCode.ERROR)
        self.span.end()


_NOT_RECORDED = Span()


class _Site:
    """What records the spans of this process, while it does."""

    provider: Any = None
    exporter: Any = None
    tracer: Any = None


_site = _Site()


def begin() -> None:
    """Begin to record, and to send to OTEL_EXPORTER_OTLP_ENDPOINT; the SDK reads its other settings itself."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME") or SERVICE
    _site.provider = TracerProvider(resource=Resource.create({"service.name": name}), shutdown_on_exit=False)
    _site.exporter = OTLPSpanExporter()
    _site.provider.add_span_processor(BatchSpanProcessor(_site.exporter))
    _site.tracer = _site.provider.get_tracer(SERVICE)


def is_on() -> bool:
    """Tell whether anything is recorded in this process."""
    return _site.tracer is not None


def close() -> None:
    """Send what is still to be sent, for ``FLUSH_SECONDS`` at the most, and record nothing more. Not in the loop."""
    provider, _site.provider, _site.tracer = _site.provider, None, None
    if provider is None:
        return
    # A daemon: a collector that hangs must not keep the process from ending.
    sending = threading.Thread(target=provider.shutdown, daemon=True)
    sending.start()
    sending.join(FLUSH_SECONDS)
    if sending.is_alive():
        logger.warning("the traces' collector does not answer; the last spans are lost")
        _site.exporter.shutdown()  # else it would try again, for a minute


def start(name: str, attributes: Attributes, *, is_client: bool = False) -> Span:
    """Begin a span within the one that is under way here; ``end`` it. ``is_client``: it asks another host."""
    if _site.tracer is None:
        return _NOT_RECORDED
    from opentelemetry.trace import SpanKind

    kind = SpanKind.CLIENT if is_client else SpanKind.INTERNAL
    span = _Recorded(_site.tracer.start_span(name, kind=kind))
    span.note(attributes)
    return span


@contextmanager
def span(name: str, attributes: Attributes) -> Iterator[Span]:
    """Record a block as a span; those that begin in it are parts of it."""
    begun = start(name, attributes)
    if not isinstance(begun, _Recorded):
        yield begun
        return
    from opentelemetry.trace import use_span

    try:
        with use_span(begun.span, record_exception=False, set_status_on_exception=False):
            yield begun
    except BaseException as error:
        begun.end(error)
        raise
    begun.end()


@contextmanager
def apart() -> Iterator[None]:
    """Begin what is no part of the span that is under way here."""
    if _site.tracer is None:
        yield
        return
    from opentelemetry.context import Context, attach, detach

    token = attach(Context())
    try:
        yield
    finally:
        detach(token)


def follow(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Have what this task begins be part of the trace that a request names (W3C's ``traceparent``), if it names one."""
    if _site.tracer is None:
        return
    from opentelemetry.context import attach
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carried = {name.decode(): value.decode("latin1") for name, value in headers if name in _FOLLOWED}
    if carried:
        attach(TraceContextTextMapPropagator().extract(carried))
