"""Files by a token of one profile: those of its chats, and those that nobody has sent yet."""

from __future__ import annotations

from tests.files.client import Files
from tests.limited import add_profile, add_token
from tests.peers import Peer, peer

NARROW = "Narrow"


def say(client: Peer, file_id: str, **made: object) -> None:
    """Say something with a file in a new session."""
    session_id = client.call("session.create", **made)["result"]["session"]["id"]
    client.call("session.open", session_id=session_id)
    started = client.call("turn.start", session_id=session_id, text="What is in it?", files=[file_id])
    run_id = started["result"]["run_id"]
    client.until(lambda frame: frame.get("params", {}).get("event", {}).get("type") == "RUN_FINISHED")
    assert run_id


def test_a_token_of_one_profile_reads_the_files_of_its_chats(files: Files) -> None:
    profile = add_profile(files.site.database, NARROW)
    token = add_token(files.site.database, files.user, profile=NARROW)
    limited = Files(files.site, files.user, Authorization=f"Bearer {token}")
    hidden, shown, unsent = (files.add(name.encode())["id"] for name in ("hidden", "shown", "unsent"))
    with peer(files.site, **files.headers) as client:
        say(client, hidden)
        say(client, shown, profile=profile)
    statuses = {name: limited.ask("GET", f"/api/files/{name}").status for name in (hidden, shown, unsent)}
    assert statuses == {hidden: 404, shown: 200, unsent: 200}
    assert limited.ask("DELETE", f"/api/files/{hidden}").status == 404
    with peer(files.site, **limited.headers) as client:
        session_id = client.call("session.create")["result"]["session"]["id"]
        refused = client.call("turn.start", session_id=session_id, text="Show me", files=[hidden])
        assert refused["error"]["code"] == -32001
    assert files.ask("GET", f"/api/files/{hidden}").status == 200


def test_a_token_that_only_reads_adds_and_removes_nothing(files: Files) -> None:
    token = add_token(files.site.database, files.user, reads_only=True)
    reader = Files(files.site, files.user, Authorization=f"Bearer {token}")
    file_id = files.add(b"kept")["id"]
    assert reader.post(b"new").status == 403
    assert reader.ask("DELETE", f"/api/files/{file_id}").status == 403
    assert reader.ask("GET", f"/api/files/{file_id}").body == b"kept"
