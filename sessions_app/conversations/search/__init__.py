"""Search in messages: how texts are compared, the index, and what a user is shown."""

from sessions_app.conversations.search.hits import QUERY_LENGTH, SNIPPET_LENGTH, HitShape, search

__all__ = ["QUERY_LENGTH", "SNIPPET_LENGTH", "HitShape", "search"]
