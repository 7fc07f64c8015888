"""Which features a user may use: those for everybody, and those for one of their groups.

It is asked in the transaction of each command that needs one, by one statement. So a group that was left counts at
once, in whichever process that was.
"""

from __future__ import annotations

from sessions_app.database import plain
from sessions_app.database.users import of_users
from sessions_app.errors import Forbidden
from sessions_app.models import Feature

FORBIDDEN = {
    Feature.FILES: "Your account may not send files. Ask an administrator of this site for it.",
    Feature.API_TOKENS: "Your account may not use API tokens. Ask an administrator of this site for it.",
    Feature.SHARING: "Your account may not share chats. Ask an administrator of this site for it.",
}

# For profiles see `profiles`: the same rule. A feature without a rule is for everybody.
_MAY_USE = """
SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM sessions_app_featurerule_groups AS own WHERE own.featurerule_id = %s)
OR EXISTS (
  SELECT 1 FROM sessions_app_featurerule_groups AS own
  JOIN {memberships} AS membership ON membership.group_id = own.group_id
  WHERE own.featurerule_id = %s AND membership.{member} = %s
)
"""


def allowed(user_id: int, feature: Feature) -> bool:
    """Tell whether a user may use a feature."""
    return bool(plain.rows(of_users(_MAY_USE), [feature.value, feature.value, user_id]))


def require(user_id: int, feature: Feature) -> None:
    """Make sure that a user may use a feature. Raises Forbidden."""
    if not allowed(user_id, feature):
        raise Forbidden(FORBIDDEN[feature])
