"""The rule of features: no groups named, everybody; else their members alone, superusers too."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from pytest_django import DjangoAssertNumQueries

from sessions_app.conversations import features
from sessions_app.errors import Forbidden
from sessions_app.models import Feature, FeatureRule

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
