"""Which tool servers are for a user: those for everybody, and those for one of their groups. The rule of profiles.

It is asked at each call. A session keeps what its model was told when it began, so that no byte of its prompt changes
where a group was left: the calls are refused instead. New sessions are told of what their user may call.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q

from sessions_app.database import plain
from sessions_app.database.users import of_users
from sessions_app.models import ToolServer, ToolServerTool

FORBIDDEN = (
    "this site keeps the tools of its server for certain groups, and the user is in none of them. "
    "An administrator of the site can change that; go on without this tool."
)
"""Why a call is refused, for the model to read."""

# At each call of a tool: the ORM takes ten times as long to make it.
_MAY_USE = """
SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM sessions_app_toolserver_groups AS named WHERE named.toolserver_id = %s)
OR EXISTS (
  SELECT 1 FROM sessions_app_toolserver_groups AS named
  JOIN {memberships} AS membership ON membership.group_id = named.group_id
  WHERE named.toolserver_id = %s AND membership.{member} = %s
)
"""


def may_use(user_id: int, server_id: int) -> bool:
    """Tell whether a server's tools may be called for a user."""
    return bool(plain.rows(of_users(_MAY_USE), [server_id, server_id, user_id]))


def for_user(user_id: int, server: str) -> Q:
    """Return the condition that the server of a row, by that field's name, is for a user."""
    named = ToolServer.groups.through._default_manager.filter(toolserver=OuterRef(server))
    return Q(~Exists(named)) | Q(Exists(named.filter(group__user=user_id)))


def forbidden(user_id: int, tools: Collection[str]) -> frozenset[str]:
    """Return those of these tools, by full name, that must not be called for a user."""
    rows = ToolServerTool.objects.filter(full_name__in=tools).exclude(for_user(user_id, "server"))
    return frozenset(rows.values_list("full_name", flat=True))
