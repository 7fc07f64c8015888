"""Another SECRET_KEY: a login holds while the earlier one is a fallback; in sockets: tests/api/test_auth.py."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, override_settings

from tests.live import manage

pytestmark = pytest.mark.one_database

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
