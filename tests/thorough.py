"""Which parameters of a test the suite leaves to `make test-thorough`: tests/conftest.py says what that is for."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def thorough(*values: Any) -> Any:
    """Return one parameter (or one of each name) that the suite does not ask."""
    return pytest.param(*values, marks=pytest.mark.thorough)


def thorough_on_postgresql(*values: Any) -> Any:
    """Return one parameter (or one of each name) that the suite asks of SQLite alone."""
    return pytest.param(*values, marks=pytest.mark.thorough_on_postgresql)


def suite_asks(some: Collection[Any], every: Iterable[Any]) -> list[Any]:
    """Return all of these as parameters of one name, of which the suite asks some."""
    return [each if each in some else thorough(each) for each in every]
