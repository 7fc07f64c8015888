"""Users in plain SQL: a project may have a model of its own for them (AUTH_USER_MODEL), and so other tables.

Such a model is an ``AbstractUser`` whose key is an integer; ``accounts.user_model`` says so where it is not.
"""

from __future__ import annotations

from functools import cache

from django.contrib.auth import get_user_model
from django.db.models import ForeignKey


@cache
def of_users(sql: str) -> str:
    """Return a statement with the names of this project's tables: {users}, {memberships} in groups, {member} there."""
    model = get_user_model()
    memberships = model.groups.through
    (member,) = (
        field.column
        for field in memberships._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model is model
    )
    sql = sql.replace("{users}", model._meta.db_table)
    return sql.replace("{memberships}", memberships._meta.db_table).replace("{member}", member)


def shut_out(groups: str, thing: str, key: str, user: str) -> str:
    """Return the condition that a thing is for groups, and its user in none of them, for ``of_users``.

    ``groups`` is the table of these, ``thing`` its column; ``key`` and ``user`` are expressions of the statement.
    """
    named = f"EXISTS (SELECT 1 FROM {groups} AS named WHERE named.{thing} = {key})"  # nosec B608: all ours
    membership = "{memberships} AS membership ON membership.group_id = named.group_id AND membership.{member} = " + user
    without = f"NOT EXISTS (SELECT 1 FROM {groups} AS named JOIN {membership} WHERE named.{thing} = {key})"  # nosec B608
    return f"({named} AND {without})"
