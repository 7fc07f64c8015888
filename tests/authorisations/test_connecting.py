"""A user connects to a tool server and comes back, and everything that can go wrong on the way."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sessions_app.authorisations import rows
from sessions_app.models import AgentProfile, Authorisation, AuthorisationClient, AuthorisationRequest, ToolServer
from tests.authorisations.conftest import PAGE, Person, asked
from tests.authorisations.server import Fault, ProtectedServer

STALE = "This answer was not asked for here, was used, or came too late. Connect again."
METADATA = "/.well-known/oauth-authorization-server"
RESOURCE = "/.well-known/oauth-protected-resource/mcp"
NOT_CONNECTED = "notes was not connected."


def metadata(protected: ProtectedServer, **changed: object) -> Fault:
    """The authorisation server's metadata, with something changed."""
    told = {
        "issuer": protected.issuer,
        "authorization_endpoint": f"{protected.issuer}/authorize",
        "token_endpoint": f"{protected.issuer}/token",
        "registration_endpoint": f"{protected.issuer}/register",
        "revocation_endpoint": f"{protected.issuer}/revoke",
        "code_challenge_methods_supported": ["S256"],
    }
    return Fault(body=json.dumps({k: v for k, v in {**told, **changed}.items() if v is not None}).encode())


def refused(person: Person, server: ToolServer) -> str:
    """What the page says after Connect did not lead on."""
    assert person.browser.post(f"{PAGE}{server.pk}/connect/").status_code == 302
    return person.told()


def test_who_agrees_is_connected(alice: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    address = alice.led_to(notes)
    told = asked(address)
    assert address.startswith(f"{protected.issuer}/authorize?")
    assert told["code_challenge_method"] == "S256"
    assert told["resource"] == protected.url
    assert told["redirect_uri"] == f"http://testserver{PAGE}callback/"
    assert alice.back(protected.decide(address)) == "You are connected to notes."
    [form] = protected.forms("/token")
    assert form["resource"] == protected.url
    kept = Authorisation.objects.get()
    assert (kept.owner, kept.server, kept.url) == (alice.user, notes, protected.url)
    assert kept.expires_at is not None


def test_tokens_are_stored_sealed_alone(alice: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    alice.connect(protected, notes)
    secrets = [*protected.memory.access, *protected.memory.refresh]
    secrets += [client.client_secret or "" for client in protected.memory.clients.values()]
    stored = str([*Authorisation.objects.values(), *AuthorisationClient.objects.values()])
    assert all(secrets)
    assert not [secret for secret in secrets if secret in stored]


def test_the_site_registers_once_for_all_users(
    alice: Person, bob: Person, notes: ToolServer, protected: ProtectedServer
) -> None:
    alice.connect(protected, notes)
    bob.connect(protected, notes)
    assert len(protected.memory.clients) == 1


def test_who_refuses_is_not_connected(alice: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    answer = protected.decide(alice.led_to(notes), allows=False)
    assert alice.back(answer) == "You did not agree, so nothing was connected."
    assert not Authorisation.objects.exists()


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
def test_a_state_is_good_once(alice: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    answer = protected.decide(alice.led_to(notes))
    alice.back(answer)
    assert alice.back(answer) == STALE
    assert len(protected.forms("/token")) == 1


def test_a_state_of_another_user_is_none(
    alice: Person, bob: Person, notes: ToolServer, protected: ProtectedServer
) -> None:
    answer = protected.decide(alice.led_to(notes))
    assert bob.back(answer) == STALE
    assert not Authorisation.objects.exists()
    assert alice.back(answer) == "You are connected to notes."


def test_a_state_of_another_login_is_none(alice: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    answer = protected.decide(alice.led_to(notes))
    alice.browser = Client()
    alice.browser.force_login(alice.user)
    assert alice.back(answer) == STALE


def test_what_was_agreed_to_for_another_address_is_not_kept(
    alice: Person, notes: ToolServer, protected: ProtectedServer
) -> None:
    """An operator has set another address while the user was away: its server must not get the first one's token."""
    answer = protected.decide(alice.led_to(notes))
    ToolServer.objects.update(url="http://127.0.0.1:1/mcp")
    assert alice.back(answer) == STALE
    assert not Authorisation.objects.exists()
    assert not protected.forms("/token")


def test_a_server_that_was_switched_off_meanwhile_gets_nothing(
    alice: Person, notes: ToolServer, protected: ProtectedServer
) -> None:
    answer = protected.decide(alice.led_to(notes))
    ToolServer.objects.update(enabled=False)
    assert alice.back(answer) == STALE
    assert not Authorisation.objects.exists()


def test_a_state_after_its_time_is_none(alice: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    answer = protected.decide(alice.led_to(notes))
    AuthorisationRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert alice.back(answer) == STALE
    AuthorisationRequest.remove_expired()
    assert not AuthorisationRequest.objects.exists()


def test_of_many_requests_the_newest_stay(
    alice: Person, notes: ToolServer, protected: ProtectedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_REQUESTS", 3)
    answers = [protected.decide(alice.led_to(notes)) for _ in range(4)]
    assert AuthorisationRequest.objects.count() == 3
    assert alice.back(answers[0]) == STALE
    assert alice.back(answers[1]) == "You are connected to notes."


@pytest.mark.parametrize("query", ["", "?state=x", "?code=x", "?state=%00&code=%00", "?error=access_denied"])
def test_an_answer_that_nobody_asked_for_is_none(alice: Person, query: str) -> None:
    assert alice.back(f"{PAGE}callback/{query}") == STALE


def test_an_answer_to_nobody_leads_to_the_login(db: None) -> None:
    response = Client().get(f"{PAGE}callback/?state=x&code=secret")
    assert (response.status_code, response["Location"]) == (302, PAGE)


def test_an_answer_of_another_issuer_is_refused(alice: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    protected.memory.told_issuer = "https://evil.example"
    said = alice.back(protected.decide(alice.led_to(notes)))
    assert said == "The answer is not from the authorisation server that was asked."
    assert protected.forms("/token") == []


def test_a_promised_issuer_must_be_there(alice: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    protected.answer(METADATA, metadata(protected, authorization_response_iss_parameter_supported=True))
    protected.memory.told_issuer = None
    said = alice.back(protected.decide(alice.led_to(notes)))
    assert said == "The answer is not from the authorisation server that was asked."


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"issuer": "http://127.0.0.1:1"}, "another name than the one that the tool server says"),
        ({"code_challenge_methods_supported": ["plain"]}, "does not say that it has PKCE"),
        ({"code_challenge_methods_supported": None}, "does not say that it has PKCE"),
        ({"token_endpoint": "http://10.0.0.1/token"}, "has no https"),
        ({"authorization_endpoint": "http://intranet/authorize"}, "has no https"),
        ({"revocation_endpoint": "http://user@127.0.0.1/revoke"}, "has no https"),
        ({"registration_endpoint": None}, "lets no site register itself"),
    ],
)
def test_metadata_that_is_amiss_leads_nowhere(
    alice: Person, notes: ToolServer, protected: ProtectedServer, changed: dict[str, object], said: str
) -> None:
    protected.answer(METADATA, metadata(protected, **changed))
    assert said in refused(alice, notes)
    assert not AuthorisationRequest.objects.exists()


NO_ANSWERS = [
    Fault(200, b"\xff garbage"),
    Fault(200, b"{" + b" " * 200_000 + b"}"),
    Fault(302, b"", {"location": "http://127.0.0.1:1/"}),
    Fault(200, b"\x1f\x8b\x08", {"content-encoding": "gzip"}),
]


@pytest.mark.parametrize(
    ("path", "fault"),
    [*((METADATA, fault) for fault in NO_ANSWERS), *((path, Fault(500, b"down")) for path in (RESOURCE, "/register"))],
)
def test_an_answer_that_is_none_leads_nowhere(
    alice: Person, notes: ToolServer, protected: ProtectedServer, path: str, fault: Fault
) -> None:
    protected.answer(path, fault)
    protected.answer("/.well-known/oauth-protected-resource", Fault(404))
    protected.answer("/.well-known/openid-configuration", Fault(404))
    assert NOT_CONNECTED in refused(alice, notes)
    assert not AuthorisationRequest.objects.exists()


def test_a_resource_of_another_address_is_refused(alice: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    told = {"resource": "https://bank.example/mcp", "authorization_servers": [protected.issuer]}
    protected.answer(RESOURCE, Fault(body=json.dumps(told).encode()))
    assert "speaks for another address than its own" in refused(alice, notes)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(200, b"garbage"),
        Fault(200, b'{"access_token": "a b", "token_type": "Bearer"}'),
        Fault(200, b'{"access_token": "a", "token_type": "mac"}'),
        Fault(307, b"", {"location": "https://elsewhere.example/token"}),
        Fault(400, b'{"error": "invalid_grant"}'),
    ],
)
def test_a_code_that_is_not_exchanged_connects_nobody(
    alice: Person, notes: ToolServer, protected: ProtectedServer, fault: Fault
) -> None:
    answer = protected.decide(alice.led_to(notes))
    protected.answer("/token", fault)
    assert "You are connected" not in alice.back(answer)
    assert not Authorisation.objects.exists()
    assert len(protected.forms("/token")) == 1


def test_a_site_that_was_forgotten_registers_anew(alice: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    alice.connect(protected, notes)
    answer = protected.decide(alice.led_to(notes))
    protected.memory.clients.clear()
    assert "Connect again" in alice.back(answer)
    alice.connect(protected, notes)
    assert len(protected.memory.clients) == 1


def test_who_disconnects_is_forgotten_at_both_ends(
    alice: Person, notes: ToolServer, protected: ProtectedServer
) -> None:
    alice.connect(protected, notes)
    [kept] = protected.memory.refresh
    alice.browser.post(f"{PAGE}{notes.pk}/disconnect/")
    assert alice.told() == "You are no longer connected to notes, and it has ended the authorisation."
    assert protected.memory.revoked == [kept]
    assert not Authorisation.objects.exists()


@pytest.mark.parametrize("fault", [Fault(503, b"down"), Fault(200, b"x" * 200_000)])
def test_who_disconnects_is_told_what_was_not_ended(
    alice: Person, notes: ToolServer, protected: ProtectedServer, fault: Fault
) -> None:
    alice.connect(protected, notes)
    protected.answer("/revoke", fault)
    alice.browser.post(f"{PAGE}{notes.pk}/disconnect/")
    assert alice.told() == "You are no longer connected to notes. It was not told: end it there, too."
    assert not Authorisation.objects.exists()


def test_a_server_of_others_is_none(alice: Person, bob: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    alice.connect(protected, notes)
    notes.profiles.set([AgentProfile.objects.create(name="other")])
    notes.profiles.get().groups.create(name="people")
    for action in ("connect", "disconnect"):
        answers = [bob.browser.post(f"{PAGE}{pk}/{action}/") for pk in (notes.pk, notes.pk + 10**6)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
    assert Authorisation.objects.filter(owner=alice.user).exists()
    assert "notes" not in bob.browser.get(PAGE).content.decode()
    assert "no longer used by a model of yours" in alice.browser.get(PAGE).content.decode()


def test_the_document_names_the_site(db: None) -> None:
    response = Client().get(f"{PAGE}client.json", secure=True)
    told = response.json()
    assert told["client_id"] == f"https://testserver{PAGE}client.json"
    assert told["redirect_uris"] == [f"https://testserver{PAGE}callback/"]
    assert (told["token_endpoint_auth_method"], told["application_type"]) == ("none", "web")


def test_a_server_that_reads_documents_needs_no_registration(
    alice: Person, notes: ToolServer, protected: ProtectedServer
) -> None:
    protected.answer(METADATA, metadata(protected, client_id_metadata_document_supported=True))
    response = alice.browser.post(f"{PAGE}{notes.pk}/connect/", secure=True)
    assert asked(response.context["address"])["client_id"] == f"https://testserver{PAGE}client.json"
    assert not AuthorisationClient.objects.exists()
