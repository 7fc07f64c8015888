"""What groups may, set as by another program: by statements of its own."""

from __future__ import annotations

from tests.databases import Database

_OWNER = "(SELECT id FROM auth_user WHERE username = %s)"


def limit(database: Database, feature: str) -> None:
    """Make a feature one of the group `team`, which has no members yet."""
    database.run("INSERT INTO auth_group (name) VALUES ('team') ON CONFLICT DO NOTHING")
    database.run("INSERT INTO sessions_app_featurerule (feature) VALUES (%s)", feature)
    named = "INSERT INTO sessions_app_featurerule_groups (featurerule_id, group_id) SELECT %s, id FROM auth_group"
    database.run(f"{named} WHERE name = 'team'", feature)


def join(database: Database, user: str) -> None:
    """Put a user into the group."""
    insert = "INSERT INTO auth_user_groups (user_id, group_id)"
    database.run(f"{insert} SELECT {_OWNER}, id FROM auth_group WHERE name = 'team'", user)


def leave(database: Database, user: str) -> None:
    """Take a user out of it."""
    database.run(f"DELETE FROM auth_user_groups WHERE user_id = {_OWNER}", user)
