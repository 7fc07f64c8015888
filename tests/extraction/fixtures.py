"""What lets the tests' own process do a worker's work."""

from __future__ import annotations

import math

import pytest

from sessions_app.extraction import office, pdf


@pytest.fixture(autouse=True)
def own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts no processor time: a worker has used none before it reads, and this process more than a file may."""
    for reader in (office, pdf):
        monkeypatch.setattr(reader, "SOFT_CPU_SECONDS", math.inf)
