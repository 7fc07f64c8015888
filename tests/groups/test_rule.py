"""The rule of features: no groups named, everybody; else their members alone, superusers too."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from pytest_django import DjangoAssertNumQueries

from sessions_app.conversations import features
from sessions_app.conversations.features import Denied
from sessions_app.errors import Forbidden
from sessions_app.models import AgentProfile, ApiToken, Feature, FeatureRule

pytestmark = pytest.mark.django_db


def test_a_feature_is_for_everybody_or_for_its_groups(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    member, stranger = User.objects.create_user("member"), User.objects.create_user("stranger")
    chief = User.objects.create_superuser("chief")
    group, other = Group.objects.create(name="team"), Group.objects.create(name="other")
    member.groups.add(group)
    stranger.groups.add(other)
    for feature in Feature:
        assert all(features.allowed(user.pk, feature) for user in (member, stranger, chief))
        rule = FeatureRule.objects.create(feature=feature)
        assert features.allowed(stranger.pk, feature)
        rule.groups.add(group)
        with django_assert_num_queries(1):
            features.require(member.pk, feature)
        for user in (stranger, chief):
            with pytest.raises(Forbidden, match="administrator"):
                features.require(user.pk, feature)
    member.groups.remove(group)
    assert not any(features.allowed(member.pk, feature) for feature in Feature)


def test_what_is_denied_and_which_tokens_are_valid_follow_the_groups(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    users = [User.objects.create_user(name) for name in ("member", "stranger")]
    member, stranger = (user.pk for user in users)
    for user in users:
        ApiToken.issue(user)
    profile = AgentProfile.objects.create(name="Careful")
    with django_assert_num_queries(2):
        assert features.denied([member, stranger]) == {member: Denied(), stranger: Denied()}
    assert ApiToken.valid().count() == 2
    group = Group.objects.create(name="team")
    group.user_set.add(member)
    profile.groups.add(group, Group.objects.create(name="empty"))
    FeatureRule.objects.create(feature=Feature.API_TOKENS).groups.add(group)
    with django_assert_num_queries(4):
        denied = features.denied([member, stranger])
    assert denied == {member: Denied(), stranger: Denied(frozenset({Feature.API_TOKENS}), frozenset({profile.pk}))}
    assert denied[stranger].allowed == [Feature.FILES, Feature.SHARING]
    with django_assert_num_queries(1):
        assert [token.owner_id for token in ApiToken.valid()] == [member]
    group.user_set.set([stranger])
    assert [token.owner_id for token in ApiToken.valid()] == [stranger]
