"""Models on servers of the operator's own: keys are kept and never shown, and "Try it" says whether they answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from sessions_app.admin.profile_form import AgentProfileForm
from sessions_app.llm import trial
from sessions_app.llm.providers import ProviderSettings
from sessions_app.models import AgentProfile
from sessions_app.models.sealed import UnreadableSecret, seal, unseal
from tests.admin.conftest import Enter, list_of, page_of, text_of
from tests.admin.test_profiles_and_tokens import filled
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

# What its pages ask of the database, other tests of admin ask of PostgreSQL as well.

KEY = "sk-very-secret"
ADDRESS = "https://models.example.org/v1"
TRY = "/admin/sessions_app/agentprofile/try/"


@pytest.fixture(autouse=True)
def default(db: None) -> AgentProfile:
    return AgentProfile.default()


def own(**changes: Any) -> dict[str, Any]:
    return filled(**{"model": "openai-chat:local", "base_url": ADDRESS, "api_key": KEY, **changes})


@pytest.fixture
def profile(boss: Client) -> AgentProfile:
    """A profile whose model has an address and a key of its own."""
    assert boss.post(list_of(AgentProfile) + "add/", own()).status_code == 302
    return AgentProfile.objects.get(name="Terse")


def kept(profile: AgentProfile) -> str:
    profile.refresh_from_db()
    return unseal(profile.sealed_key) if profile.sealed_key else ""


def test_a_key_is_kept_encrypted_and_shown_nowhere(
    boss: Client, profile: AgentProfile, enter: Enter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (kept(profile), profile.base_url) == (KEY, ADDRESS)
    assert KEY not in profile.sealed_key
    for reader in (boss, enter("view_agentprofile"), enter("change_agentprofile")):
        page = text_of(reader, page_of(profile))
        assert "A key is kept." in page
        assert KEY not in page
        assert profile.sealed_key not in page
    assert 'name="api_key"' not in text_of(enter("view_agentprofile"), page_of(profile))
    assert KEY not in text_of(boss, page_of(profile, "history"))
    assert not [entry for entry in LogEntry.objects.all() if KEY in f"{entry.change_message}{entry.object_repr}"]
    call_command("dumpdata", "sessions_app")
    assert KEY not in capsys.readouterr().out


def test_a_key_stays_is_replaced_and_is_removed(boss: Client, profile: AgentProfile) -> None:
    boss.post(page_of(profile), own(api_key="", description="Changed."))
    assert (kept(profile), profile.description) == (KEY, "Changed.")
    boss.post(page_of(profile), own(api_key=f" {KEY}2 "))
    assert kept(profile) == f"{KEY}2"
    boss.post(page_of(profile), own(api_key="", remove_key="on"))
    assert kept(profile) == ""
    assert "No key is kept." in text_of(boss, page_of(profile))


def test_without_an_address_no_key_is_kept(
    boss: Client, profile: AgentProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    boss.post(page_of(profile), own(base_url="", api_key=""))
    assert (kept(profile), profile.base_url) == ("", "")


@pytest.mark.parametrize(
    "address", ["https://other.example.org/v1", "http://models.example.org/v1", "https://models.example.org:444/v1"]
)
def test_a_kept_key_goes_to_no_other_server(boss: Client, profile: AgentProfile, address: str) -> None:
    page = boss.post(page_of(profile), own(base_url=address, api_key="")).content.decode()
    assert "The key that is kept is for another server." in page
    tried = boss.post(TRY, own(base_url=address, api_key="", profile=profile.pk)).json()
    assert (tried["answers"], "for another server" in tried["text"]) == (False, True)
    assert (kept(profile), profile.base_url) == (KEY, ADDRESS)
    boss.post(page_of(profile), own(base_url=address, api_key="another"))
    assert (kept(profile), profile.base_url) == ("another", address)
    boss.post(page_of(profile), own(base_url=f"{address}/other/path/", api_key=""))
    assert (kept(profile), profile.base_url) == ("another", f"{address}/other/path")


def test_a_key_removed_meanwhile_goes_to_no_other_server(profile: AgentProfile) -> None:
    form = AgentProfileForm(own(base_url="https://other.example.org/v1", api_key=""), instance=profile)
    AgentProfile.objects.filter(pk=profile.pk).update(base_url="", sealed_key="")
    assert list(form.errors) == ["api_key"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        *(
            ({"base_url": address}, "base_url")
            for address in (
                *("models.example.org", "ftp://models.example.org", "file:///etc/passwd", "https://", "https://[x/v1"),
                *("https://user:word@models.example.org", "https://h/v1?key=1", "https://h/v1#a", "https://h:0/v1"),
                *("https://h:99999/v1", "https://h h/v1", "https://hö/v1"),
            )
        ),
        ({"model": "anthropic:claude-sonnet-5-5"}, "model"),
        ({"model": "demo"}, "model"),
        ({"model": "openai-chat:"}, "model"),
        ({"api_key": "two words"}, "api_key"),
        ({"api_key": "ключ"}, "api_key"),
        ({"base_url": "", "model": "demo"}, "base_url"),
    ],
)
def test_what_could_not_work_is_refused(changes: dict[str, Any], field: str) -> None:
    assert list(AgentProfileForm(own(**changes)).errors) == [field]


def test_a_key_of_another_secret_key_says_so(boss: Client, profile: AgentProfile, settings: Settings) -> None:
    before, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    boss.force_login(User.objects.get(username="boss"))
    assert "cannot be read any more" in text_of(boss, page_of(profile))
    tried = boss.post(TRY, own(api_key="", profile=profile.pk)).json()
    assert (tried["answers"], "cannot be read any more" in tried["text"]) == (False, True)
    with pytest.raises(UnreadableSecret):
        kept(profile)
    settings.SECRET_KEY_FALLBACKS = [before]
    boss.force_login(User.objects.get(username="boss"))
    assert kept(profile) == KEY
    # Saved again, it is sealed with the present key.
    boss.post(page_of(profile), own(api_key=""))
    settings.SECRET_KEY_FALLBACKS = []
    assert kept(profile) == KEY


def test_two_seals_of_one_key_differ() -> None:
    assert seal(KEY) != seal(KEY)


def test_try_it_asks_the_server_with_the_key(boss: Client, provider: Provider) -> None:
    tried = boss.post(TRY, own(base_url=provider.base_url)).json()
    assert (tried["answers"], tried["text"].startswith("It answers: ")) == (True, True)
    [request] = provider.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert len(request.body) < 500
    assert not AgentProfile.objects.filter(name="Terse").exists()


def test_try_it_takes_the_key_that_is_kept(boss: Client, provider: Provider) -> None:
    boss.post(list_of(AgentProfile) + "add/", own(base_url=provider.base_url))
    profile = AgentProfile.objects.get(name="Terse")
    assert boss.post(TRY, own(base_url=provider.base_url, api_key="", profile=profile.pk)).json()["answers"]
    assert provider.requests[-1].headers["authorization"] == f"Bearer {KEY}"


def test_a_server_without_a_key_is_not_sent_the_environments(boss: Client, provider: Provider) -> None:
    assert boss.post(TRY, own(base_url=provider.base_url, api_key="")).json()["answers"]
    assert provider.requests[-1].headers["authorization"] == "Bearer none"


def test_a_server_is_sent_no_headers_of_the_environment(
    boss: Client, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer gateway-secret\nX-Gateway: secret")
    assert boss.post(TRY, own(base_url=provider.base_url)).json()["answers"]
    headers = provider.requests[-1].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert not [name for name, value in headers.items() if "secret" in value.replace(KEY, "")]


def test_try_it_takes_what_the_environment_has(boss: Client, provider: Provider) -> None:
    assert boss.post(TRY, own(base_url="", api_key="")).json()["answers"]
    assert provider.requests[-1].headers["authorization"] == "Bearer loopback"
    assert boss.post(TRY, filled(model="demo")).json()["answers"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            Answer(status=401, body={"error": {"message": "sk-very-secret is wrong"}}),
            "does not accept this site's API key",
        ),
        (Answer(status=404, body={"error": {"message": "secret model"}}), "does not know the model"),
        (Answer(status=500), "has a fault"),
        (Answer(raw=[b"<html>"], headers={"content-type": "text/html"}), "a web page"),
        (Answer(words=[]), "gave no answer"),
        (Answer(silent=0), "said nothing"),
    ],
)
def test_try_it_says_in_plain_words_why_not(
    boss: Client, provider: Provider, monkeypatch: pytest.MonkeyPatch, answer: Answer, words: str, caplog: Any
) -> None:
    monkeypatch.setattr(trial, "_SETTINGS", ProviderSettings(timeout=0.5, longest_wait=5, retries=0))
    provider.script(answer)
    tried = boss.post(TRY, own(base_url=provider.base_url)).json()
    assert (tried["answers"], tried["text"].startswith("It does not answer. ")) == (False, True)
    assert words in tried["text"]
    assert "secret" not in tried["text"]
    assert KEY not in caplog.text


def test_try_it_says_that_nobody_is_there(boss: Client) -> None:
    tried = boss.post(TRY, own(base_url="http://127.0.0.1:9/v1")).json()
    assert tried == {
        "answers": False,
        "text": "It does not answer. The connection to the model's provider failed.",
    }


def test_who_may_not_change_profiles_tries_none(enter: Enter, provider: Provider) -> None:
    assert enter("view_agentprofile").post(TRY, own(base_url=provider.base_url)).status_code == 403
    assert Client().post(TRY, own(base_url=provider.base_url)).status_code == 302
    assert provider.requests == []
    assert enter("change_agentprofile").get(TRY).status_code == 405


def test_the_command_keeps_the_address_of_a_profile(profile: AgentProfile, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("profile", "Terse", model="openai-chat:other")
    profile.refresh_from_db()
    assert (profile.model, profile.base_url, kept(profile)) == ("openai-chat:other", ADDRESS, KEY)
