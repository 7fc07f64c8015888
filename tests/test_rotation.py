"""Another SECRET_KEY: who is logged in stays so while the earlier one is a fallback, in pages and sockets."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, override_settings

from tests.live import LiveSite, manage
from tests.peers import Browser, peer

OLD, NEW = "tests-only", "another key that is long enough"


def test_the_fallbacks_are_read_from_the_environment() -> None:
    script = "from django.conf import settings; print(settings.SECRET_KEY_FALLBACKS)"
    told = manage("shell", "--no-imports", "-c", script, env={"SECRET_KEY_FALLBACKS": "older, oldest"})
    assert told.stdout == "['older', 'oldest']\n"


@pytest.mark.django_db
@pytest.mark.parametrize(("fallbacks", "status"), [([OLD], 200), ([], 302)])
def test_a_login_holds_while_its_key_is_a_fallback(client: Client, fallbacks: list[str], status: int) -> None:
    client.force_login(get_user_model().objects.create_user("owner"))
    with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=fallbacks):
        assert client.get("/").status_code == status
        assert client.get("/").status_code == status


@pytest.mark.django_db
def test_while_processes_change_over_each_reads_what_the_other_signs(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("owner"))
    for _ in range(2):
        with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[OLD]):
            assert client.get("/").status_code == 200
        with override_settings(SECRET_KEY=OLD, SECRET_KEY_FALLBACKS=[NEW]):
            assert client.get("/").status_code == 200


def test_a_browser_outlives_a_rotation(live_server_process: LiveSite) -> None:
    site = live_server_process
    browser = Browser(site)
    browser.log_in("owner")
    before = browser.cookies["sessionid"]
    site.restart(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=OLD)
    # A tab connects again by itself, before any page is asked for.
    with peer(site, **browser.headers) as tab:
        assert tab.call("session.list")["result"]["sessions"] == []
        assert browser.open("/") == f"{site.base_url}/"
        assert browser.cookies["sessionid"] != before
        assert tab.closed() == 4401
    with peer(site, **browser.headers) as tab:
        assert tab.call("session.list")["result"]["sessions"] == []
    site.restart(SECRET_KEY_FALLBACKS="")
    assert browser.open("/") == f"{site.base_url}/"
