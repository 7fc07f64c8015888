"""A user's shared links: seen by them alone with their addresses, revoked from the page, without a key elsewhere."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.utils.html import escape

from sessions_app.models import Audience, Share
from sessions_app.sharing import links
from sessions_app.sharing.line import Pages
from sessions_app.sharing.links import Terms
from sessions_app.transfer import account
from tests.admin.conftest import make_session, say

pytestmark = pytest.mark.django_db
PAGE = "/accounts/shares/"


def shared(user: User, title: str) -> Share:
    """A link to a chat of the user."""
    chat_session = make_session(user, title)
    say(chat_session, 0, "Hello")
    line, pages = links.find(user.pk, chat_session.pk, None), Pages()
    links.read_some(user.pk, line, pages, 0)
    return Share.objects.get(pk=links.make(user.pk, line, pages.done, Terms(Audience.USERS)).id)


@pytest.mark.one_database
def test_links_are_listed_and_revoked_by_their_owner_alone(client: Client) -> None:
    anna, bob = User.objects.create_user("anna"), User.objects.create_user("bob")
    mine, other = shared(anna, "<b>Mine"), shared(bob, "Other")
    address = links.share_shape(mine).url
    assert client.get(PAGE)["Location"].startswith("/accounts/login/")
    client.force_login(anna)
    page = client.get(PAGE)
    assert f'href="{address}"' in page.text
    assert escape("<b>Mine") in page.text
    assert "Other" not in page.text
    assert client.get(f"{PAGE}{mine.pk}/revoke/")["Location"] == PAGE
    assert client.post(f"{PAGE}{other.pk}/revoke/").status_code == 404
    assert client.post(f"{PAGE}{mine.pk}/revoke/")["Location"] == PAGE
    assert client.post(f"{PAGE}{mine.pk}/revoke/").status_code == 404
    assert list(Share.objects.all()) == [other]
    assert "You have shared no chats." in client.get(PAGE).text


def test_the_page_says_where_links_show_nothing(client: Client) -> None:
    anna = User.objects.create_user("anna")
    shared(anna, "Mine")
    client.force_login(anna)
    with override_settings(HERMES_SHARING="off"):
        assert "Until you may, these links show nothing." in client.get(PAGE).text


def test_neither_admin_nor_export_tells_a_key(client: Client) -> None:
    anna, chief = User.objects.create_user("anna"), User.objects.create_superuser("chief")
    mine = shared(anna, "Mine")
    key = str(links.share_shape(mine).url).split("/")[-2]
    client.force_login(chief)
    pages = [client.get(f"/admin/sessions_app/share/{rest}") for rest in ("", f"{mine.pk}/change/")]
    assert all(str(mine.chat_session_id) in page.text for page in pages)
    told = account.account(anna.pk)
    assert [each["id"] for each in told["shares"]] == [str(mine.pk)]
    everything = json.dumps(told) + "".join(page.text for page in pages)
    assert not [secret for secret in (key, mine.digest, mine.sealed) if secret in everything]
    assert client.post(f"/admin/sessions_app/share/{mine.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Share.objects.exists()
