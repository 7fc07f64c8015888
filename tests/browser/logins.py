"""Logins without forms, which take half a second of computing for each password, by intent."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from tests.databases import Database


def login(database: Database, name: str) -> str:
    """Add a user who is logged in, and return the value of their session's cookie.

    The site has the tests' SECRET_KEY.
    """
    database.add_user(name)
    [(pk, password)] = database.run("SELECT id, password FROM auth_user WHERE username = %s", name)
    key = secrets.token_hex(16)
    data = SessionStore().encode(
        {
            SESSION_KEY: str(pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: User(password=password).get_session_auth_hash(),
        }
    )
    ends = (timezone.now() + timedelta(days=1)).replace(tzinfo=None).isoformat(" ")
    database.run(
        "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (%s, %s, %s)", key, data, ends
    )
    return key
