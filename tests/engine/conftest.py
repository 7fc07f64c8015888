"""A model on disk, and engines that have read nothing yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine import model
from tests.engine.server import Engine


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model, written anew."""
    path = tmp_path_factory.mktemp("model") / f"{model.NAME}.gguf"
    model.write(path)
    return path


@pytest.fixture(scope="module")
def start_engine(model_file: Path) -> Iterator[Callable[[], Engine]]:
    """Starts an engine, in a few tenths of a second."""
    started: list[Engine] = []

    def start() -> Engine:
        started.append(Engine(model_file))
        return started[-1]

    yield start
    for engine in started:
        engine.close()
