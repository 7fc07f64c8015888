"""Two users' sessions."""

from __future__ import annotations

import os

import pytest
from django.contrib.auth import get_user_model

from tests.stamps.talk import Talk

# What only one of the databases knows; test_sqlite.py is marked as being about one.
collect_ignore = [] if os.environ.get("TEST_ON") == "postgresql" else ["test_postgresql.py"]


@pytest.fixture
def mine(db: None) -> Talk:
    return Talk.of(get_user_model().objects.create_user("owner").pk)


@pytest.fixture
def other(db: None) -> Talk:
    """A session of another user."""
    return Talk.of(get_user_model().objects.create_user("other").pk)
