"""Search: how texts are compared, and the index."""

import pytest

pytest.register_assert_rewrite("tests.search.oracle")
