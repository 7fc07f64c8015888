"""Features by group at every door of a real site, where another program changes the groups."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.extraction import samples
from tests.files.client import Files
from tests.files.conftest import loopback
from tests.groups import rights
from tests.live import LiveSite, manage
from tests.openai_api.test_sent_files import data_url
from tests.peers import Browser, peer
from tests.providers.fixtures import Provider

__all__ = ["loopback"]

FORBIDDEN = -32005
NO_FILES = "Your account may not send files. Ask an administrator of this site for it."
PICTURE = data_url(samples.picture(size=(30, 20)), "image/png")
SAID = [{"type": "text", "text": "Look"}]
INPUT = {"role": "user", "content": [{"type": "input_image", "image_url": PICTURE}]}
DOORS: dict[str, Callable[[str], dict[str, Any]]] = {
    "/v1/chat/completions": lambda model: {
        "model": model,
        "messages": [{"role": "user", "content": [*SAID, {"type": "image_url", "image_url": {"url": PICTURE}}]}],
    },
    "/v1/responses": lambda model: {"model": model, "input": [INPUT]},
    "/v1/conversations": lambda model: {"items": [{"type": "message", **INPUT}]},
    "/ag-ui/": lambda model: {
        "threadId": str(uuid4()),
        "runId": str(uuid4()),
        "tools": [],
        "context": [],
        "state": {},
        "forwardedProps": {},
        "messages": [
            {
                "id": "1",
                "role": "user",
                "content": [{"type": "binary", "mimeType": "image/png", "data": PICTURE.partition(",")[2]}],
            }
        ],
    },
}


@pytest.fixture(scope="module")
def site(start_site: Callable[..., LiveSite], loopback: Provider) -> LiveSite:
    """A site whose files are for the group `team`."""
    started = start_site(
        OPENAI_BASE_URL=loopback.base_url, OPENAI_API_KEY="loopback", HERMES_MODEL="openai-chat:loopback"
    )
    rights.limit(started.database, "files")
    return started


def newcomer(site: LiveSite, name: str) -> Files:
    site.database.add_user(name)
    return Files(site, name)


def send(user: Files, path: str) -> tuple[int, str]:
    """The status, and the text, of what a door answers to a message with a picture."""
    model = user.ask("GET", "/v1/models").json["data"][0]["id"]
    body = json.dumps(DOORS[path](model)).encode()
    answer = user.ask("POST", path, body, Content_Type="application/json")
    return answer.status, answer.body.decode()


def test_files_are_refused_at_every_door_to_who_is_in_no_group(site: LiveSite) -> None:
    member, stranger = newcomer(site, "member"), newcomer(site, "stranger")
    for name in ("member", "stranger"):
        rights.join(site.database, name)
    early = stranger.add(b"from before")
    rights.leave(site.database, "stranger")
    for path in DOORS:
        assert send(member, path)[0] == 200, path
        status, told = send(stranger, path)
        assert (status, json.loads(told)["error"]["message"]) == (403, NO_FILES), path
    assert member.post(b"mine").status == 201
    for content in (b"new", b"from before"):
        assert (stranger.post(content).status, stranger.post(content).error) == (403, NO_FILES)
    assert stranger.get(early).body == b"from before"
    assert stranger.delete(early).status == 204


@pytest.mark.thorough
def test_a_message_keeps_its_files_when_its_user_may_send_no_more(site: LiveSite) -> None:
    user = newcomer(site, "leaver")
    rights.join(site.database, "leaver")
    first, second = user.add(b"first"), user.add(b"second")
    with peer(site, **user.headers) as client:
        chat = client.call("session.create")["result"]["session"]["id"]
        client.call("session.open", session_id=chat)
        sent = client.call("turn.start", session_id=chat, text="Read", files=[first["id"]])["result"]["message"]["id"]
        client.until(lambda frame: frame.get("params", {}).get("event", {}).get("type") == "RUN_FINISHED")
        rights.leave(site.database, "leaver")
        for method, params in (
            ("turn.start", {"session_id": chat, "text": "Read", "files": [second["id"]]}),
            ("turn.start", {"session_id": chat, "text": "Again", "files": [first["id"]]}),
            ("message.edit", {"message_id": sent, "text": "Read both", "files": [first["id"], second["id"]]}),
        ):
            error = client.call(method, **params)["error"]
            assert (error["code"], error["message"]) == (FORBIDDEN, NO_FILES)
        edited = client.call("message.edit", message_id=sent, text="Read it")["result"]["message"]
        assert [file["id"] for file in edited["files"]] == [first["id"]]
    assert user.get(first).body == b"first"
    assert user.ask("GET", f"/api/sessions/{chat}/export?format=markdown").status == 200


@pytest.mark.thorough
def test_an_open_page_is_told_what_may_be_used_now(site: LiveSite) -> None:
    newcomer(site, "reader")
    rights.join(site.database, "reader")
    browser = Browser(site)
    browser.log_in("reader")
    with peer(site, **browser.headers) as page:
        assert page.call("account.features")["result"]["features"] == ["files", "api_tokens", "sharing"]
        rights.leave(site.database, "reader")
        told = page.until(lambda frame: frame.get("method") == "account.changed")
        assert told["params"] == {"features": ["api_tokens", "sharing"]}
        rights.join(site.database, "reader")
        told = page.until(lambda frame: frame.get("method") == "account.changed")
        assert told["params"] == {"features": ["files", "api_tokens", "sharing"]}


@pytest.mark.thorough
def test_tokens_let_nobody_in_until_their_user_may_have_them_again(site: LiveSite) -> None:
    user = newcomer(site, "holder")
    with peer(site, **user.headers) as client:
        client.call("session.list")
        rights.limit(site.database, "api_tokens")
        assert client.closed() == 4401
    assert user.ask("GET", "/v1/models").status == 401
    assert "may not use API tokens" in manage("create_token", "holder", env=site.env, check=False).stderr
    browser = Browser(site)
    browser.log_in("holder")
    with peer(site, **browser.headers) as page:
        assert "result" in page.call("session.list")
    rights.join(site.database, "holder")
    assert user.ask("GET", "/v1/models").status == 200
