"""Django's sessions in the database, for keys that it could have made.

What a client sends as one may be anything; PostgreSQL fails on a NUL in it, which was a fault of the site for an
outsider's cookie.
"""

import re

from django.contrib.sessions.backends import db

_KEY = re.compile("[a-z0-9]{32}")


class SessionStore(db.SessionStore):
    """Any other key than those is none."""

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and _KEY.fullmatch(key) is not None
