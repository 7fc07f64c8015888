"""Search in messages: how texts are compared, the index, and what a user is shown."""

from sessions_app.conversations.search.hits import QUERY_LENGTH, HitShape, search
from sessions_app.conversations.search.snippets import SNIPPET_LENGTH

__all__ = ["QUERY_LENGTH", "SNIPPET_LENGTH", "HitShape", "search"]
