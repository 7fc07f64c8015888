from pathlib import Path

import pytest
from pytest_django import Settings

from sessions_app.jobs.running import Jobs
from tests.turns.fixtures import host, model, new_host, session, user

__all__ = ["host", "kept", "model", "new_host", "session", "user"]


@pytest.fixture(autouse=True)
def kept(settings: Settings, tmp_path: Path) -> Path:
    """Where the files of this test are kept."""
    files = {**settings.STORAGES["files"], "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "files": files}
    return tmp_path / "files"


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes of the tests do no jobs by themselves."""
    monkeypatch.setattr(Jobs, "start", lambda _: None)
