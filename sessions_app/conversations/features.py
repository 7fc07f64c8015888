"""Which features a user may use: those for everybody, and those for one of their groups.

It is asked in the transaction of each command that needs one, by one statement. So a group that was left counts at
once, in whichever process that was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from sessions_app.database import plain
from sessions_app.database.users import of_users
from sessions_app.errors import Forbidden
from sessions_app.models import AgentProfile, Feature, FeatureRule

FORBIDDEN = {
    Feature.FILES: "Your account may not send files. Ask an administrator of this site for it.",
    Feature.API_TOKENS: "Your account may not use API tokens. Ask an administrator of this site for it.",
    Feature.SHARING: "Your account may not share chats. Ask an administrator of this site for it.",
}

# The same rule as for profiles. (In Django's words: FeatureRule.allows.)
_RULE = """(
  NOT EXISTS (SELECT 1 FROM sessions_app_featurerule_groups AS named WHERE named.featurerule_id = '{feature}')
  OR EXISTS (
    SELECT 1 FROM sessions_app_featurerule_groups AS named
    JOIN {memberships} AS membership ON membership.group_id = named.group_id
    WHERE named.featurerule_id = '{feature}' AND membership.{member} = {user}
  )
)"""
_MAY_USE = "SELECT 1 WHERE {rule}"


@cache
def with_rule(sql: str, feature: Feature, user: str) -> str:
    """Return a statement whose ``{rule}`` is that a user may use a feature; ``user`` is a column, or ``%s``."""
    rule = _RULE.replace("{feature}", feature.value).replace("{user}", user)
    return of_users(sql.replace("{rule}", rule))


def allowed(user_id: int, feature: Feature) -> bool:
    """Tell whether a user may use a feature."""
    return feature not in _switched_off() and bool(plain.rows(with_rule(_MAY_USE, feature, "%s"), [user_id]))


def _switched_off() -> frozenset[Feature]:
    """Return the features that this site has not, whoever asks."""
    return frozenset([Feature.SHARING] if settings.HERMES_SHARING == "off" else [])


def require(user_id: int, feature: Feature) -> None:
    """Make sure that a user may use a feature. Raises Forbidden."""
    if not allowed(user_id, feature):
        raise Forbidden(FORBIDDEN[feature])


@dataclass(frozen=True, slots=True)
class Denied:
    """What is kept from a user because they are in none of its groups: features, and profiles by their keys."""

    features: frozenset[Feature] = frozenset()
    profiles: frozenset[int] = frozenset()

    @property
    def allowed(self) -> list[Feature]:
        """The features that the user may use."""
        return [feature for feature in Feature if feature not in self.features]


def denied(user_ids: Collection[int]) -> Mapping[int, Denied]:
    """Return what is kept from each of these users, by four queries at most; by two where no groups are named."""
    features = _denied(FeatureRule.groups.through._default_manager.all(), "featurerule_id", user_ids)
    profiles = _denied(AgentProfile.groups.through._default_manager.all(), "agentprofile_id", user_ids)
    off = _switched_off()
    return {
        user_id: Denied(off | frozenset(map(Feature, features[user_id])), frozenset(profiles[user_id]))
        for user_id in user_ids
    }


def _denied(named: QuerySet[Any], column: str, user_ids: Iterable[int]) -> Mapping[int, set[Any]]:
    """Return which of the things in ``column`` that have groups are for none of a user's groups."""
    limited = set(named.values_list(column, flat=True))
    found: dict[int, set[Any]] = defaultdict(set, {user_id: set(limited) for user_id in user_ids})
    if limited:
        for user_id, thing in named.filter(group__user__in=user_ids).values_list("group__user", column):
            found[user_id].discard(thing)
    return found
