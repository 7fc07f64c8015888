"""What groups may, in admin: set in one place, told on each group's page, and never given to all by a deletion."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from sessions_app.models import AgentProfile, Feature, FeatureRule, ToolServer
from tests.admin.conftest import Enter, list_of, page_of

pytestmark = pytest.mark.django_db


def text_of(client: Client, address: str) -> str:
    """The words of a page that must be there, without its marks."""
    response = client.get(address)
    assert response.status_code == 200, address
    return " ".join(re.sub("<[^>]*>", " ", response.content.decode()).split())


@pytest.fixture
def team() -> Group:
    """A group that a profile and a tool server are for."""
    group = Group.objects.create(name="team")
    AgentProfile.objects.create(name="Careful").groups.add(group)
    ToolServer.objects.create(name="weather", url="https://weather.example/mcp").groups.add(group)
    return group


def test_features_are_set_in_one_place(boss: Client, team: Group) -> None:
    listed = text_of(boss, list_of(FeatureRule))
    assert listed.count("Everybody") == len(Feature)
    assert "Agent profile Careful team" in listed
    assert "Tool server weather team" in listed
    rule = FeatureRule.objects.get(feature=Feature.FILES)
    assert boss.post(page_of(rule), {"groups": [team.pk]}).status_code == 302
    assert [group.name for group in rule.groups.all()] == ["team"]
    assert "Files team" in text_of(boss, list_of(FeatureRule))
    told = text_of(boss, page_of(team))
    assert "What it allows: Files , Agent profile Careful , Tool server weather" in told
    assert "Nothing that is not for everybody" in text_of(boss, page_of(Group.objects.create(name="other")))


def test_a_group_tells_only_what_its_reader_may_see(enter: Enter, team: Group) -> None:
    told = text_of(enter("view_group", "view_toolserver"), page_of(team))
    assert "Tool server weather" in told
    assert "Careful" not in told
    listed = text_of(enter("view_featurerule", "view_agentprofile"), list_of(FeatureRule))
    assert "Careful" in listed
    assert "weather" not in listed


def test_the_last_group_of_something_is_not_deleted(boss: Client, team: Group) -> None:
    """Else it would be for everybody from then on. Not with the last but one either, nor by a program."""
    other = Group.objects.create(name="other")
    ToolServer.objects.get().groups.add(other)
    page = text_of(boss, page_of(team, "delete"))
    assert "would be for everybody" in page
    assert "agent profile Careful" in page
    assert "weather" not in page
    boss.post(page_of(team, "delete"), {"post": "yes"})
    both = {"action": "delete_selected", "_selected_action": [team.pk, other.pk], "post": "yes"}
    answer = boss.post(reverse("admin:auth_group_changelist"), both).content.decode()
    assert "The selected groups cannot be deleted" in answer
    assert Group.objects.count() == 2
    AgentProfile.objects.get(name="Careful").groups.set([])
    with pytest.raises(ProtectedError, match="weather"), transaction.atomic():
        Group.objects.all().delete()
    team.delete()
    with pytest.raises(ProtectedError, match="weather"), transaction.atomic():
        other.delete()
    assert [group.name for group in ToolServer.objects.get().groups.all()] == ["other"]
