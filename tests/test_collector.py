"""What lives is not walked again and again; what has died goes, if later."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from hermes_site import collector
from hermes_site.collector import Collector


class Node:
    """Holds itself, so that only a collection frees it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def running() -> Iterator[Collector]:
    new = Collector()
    new.start()
    yield new
    new.stop()


def test_what_survives_a_full_collection_is_frozen(running: Collector) -> None:
    gc.collect()
    before = gc.get_freeze_count()
    kept = [Node() for _ in range(1_000)]
    gc.collect()
    assert gc.get_freeze_count() >= before + len(kept)


def test_garbage_that_was_never_frozen_goes_at_once(running: Collector) -> None:
    gone = weakref.ref(Node())
    gc.collect()
    assert gone() is None


def test_frozen_garbage_goes_with_the_next_thaw(running: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node()
    gone = weakref.ref(node)
    gc.collect()
    del node
    gc.collect()
    assert gone() is not None
    monkeypatch.setattr(collector, "THAW_SECONDS", 0.0)
    gc.collect()
    assert gone() is None


def test_young_collections_freeze_nothing(running: Collector) -> None:
    gc.collect()
    before = gc.get_freeze_count()
    gc.collect(0)
    gc.collect(1)
    # What is frozen and no longer referred to goes, at any moment.
    assert gc.get_freeze_count() <= before
