"""Limited tokens and further profiles of a real site, added as another program does: a command takes a second."""

from __future__ import annotations

import hashlib
import secrets

from tests.databases import Database

_ADD_TOKEN = """
INSERT INTO sessions_app_apitoken (owner_id, name, digest, can_read_metrics, reads_only, profile_id)
SELECT id, 'limited', %s, false, %s, (SELECT id FROM sessions_app_agentprofile WHERE name = %s)
FROM auth_user WHERE username = %s
"""
_ADD_PROFILE = """
INSERT INTO sessions_app_agentprofile
(name, model, system_prompt, tools, is_default, created_at, updated_at, description, takes_images)
VALUES (%s, '', %s, '[]', false, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, '', %s) ON CONFLICT DO NOTHING
"""
_BE_OF_GROUP = """
INSERT INTO sessions_app_agentprofile_groups (agentprofile_id, group_id)
SELECT sessions_app_agentprofile.id, auth_group.id FROM sessions_app_agentprofile, auth_group
WHERE sessions_app_agentprofile.name = %s AND auth_group.name = %s
"""


def add_token(database: Database, user: str, *, reads_only: bool = False, profile: str = "") -> str:
    """Add a token of a user that only reads, or is of one profile."""
    token = f"hermes_{secrets.token_urlsafe(32)}"
    database.run(_ADD_TOKEN, hashlib.sha256(token.encode()).hexdigest(), reads_only, profile, user)
    return token


def add_profile(
    database: Database, name: str, system_prompt: str = "", *, takes_images: bool = True, group: str = ""
) -> int:
    """Add a profile of the site's model, where there is none of this name; for everybody, or for a group."""
    database.run(_ADD_PROFILE, name, system_prompt, takes_images)
    if group:
        database.run(_BE_OF_GROUP, name, group)
    [(key,)] = database.run("SELECT id FROM sessions_app_agentprofile WHERE name = %s", name)
    return int(key)
