"""After a deletion the bytes are gone: of the database's file and its log, and of the store of files.

The suite asks it of a purge; of a site that runs, and of its files, accounts and memories, the thorough one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection

from sessions_app.models import Message
from tests.files.client import Files
from tests.files.conftest import objects
from tests.live import LiveSite
from tests.peers import Peer, peer
from tests.purging.conftest import old_chat, policy, purge_now, titles
from tests.search.oracle import catch_up

# In no text of the site; words of who leaves, who deletes all chats, and who stays.
LEAVES, CLEARS, STAYS = "Zanquillibar", "Vexomorphic", "Plimbledore"
TURNS = 3


def ends(client: Peer) -> None:
    client.until(lambda frame: frame.get("params", {}).get("event", {}).get("type") == "RUN_FINISHED")


def fill(site: LiveSite, people: dict[str, str]) -> None:
    """Have all of them chat by turns, so that their rows lie among each other's."""
    clients = [(name, word, peer(site, **Files(site, name).headers)) for name, word in people.items()]
    with clients[0][2] as one, clients[1][2] as two, clients[2][2] as three:
        chats = []
        for (name, word, _), client in zip(clients, (one, two, three), strict=True):
            client.call("memory.add", text=f"likes {word}")
            file = Files(site, name).add(f"{word} is in this file. ".encode() * 50, f"{word}.txt")
            session_id = client.call("session.create", title=f"On {word}")["result"]["session"]["id"]
            client.call("session.open", session_id=session_id)
            chats.append((client, word, session_id, file["id"]))
        for number in range(TURNS):
            for client, word, session_id, file_id in chats:
                text = f"{number}: {word} " + f"and then {word} " * 140 * number
                client.call("turn.start", session_id=session_id, text=text, files=[] if number else [file_id])
            for client, *_ in chats:
                ends(client)
        for client, word, session_id, _ in chats:
            hits = client.call("session.search", query=word[2:9])["result"]["hits"]
            assert hits
            client.call("message.rate", message_id=answer_of(client, session_id), rating=1, comment=f"good {word}")


def answer_of(client: Peer, session_id: str) -> str:
    messages = client.call("session.messages", session_id=session_id, before=10**6)["result"]["messages"]
    return str([message["id"] for message in messages if message["role"] == "assistant"][-1])


def found(site: LiveSite, word: str) -> set[str]:
    """The files of a site in which a word is."""
    folder = Path(site.database.file).parent / "files"
    return found_in(site.database.file, word, *(folder / path for path in objects(folder)))


def found_in(file: str, word: str, *others: Path) -> set[str]:
    """Of a database's file, its log and others those with a word, its letters written as usual or for the index."""
    database = Path(file)
    places = [database, *database.parent.glob(f"{database.name}-*al"), *others]
    written = [
        word.lower().encode(),
        word.lower()[2:8].encode().hex().encode(),
        word.lower()[2:5].encode().hex().encode(),
    ]
    return {path.name for path in places if any(form in path.read_bytes().lower() for form in written)}


@pytest.mark.one_database
def test_no_word_is_left_of_a_chat_that_was_purged(user: User) -> None:
    file = str(connection.settings_dict["NAME"])
    for title, days in ((f"On {CLEARS}", 100), (f"On {STAYS}", 1)):
        chat = old_chat(user, title, days, messages=40)
        Message.objects.filter(chat_session=chat).update(text=f"{title}, and then {title} " * 40)
    catch_up()
    policy(30)
    assert found_in(file, CLEARS)
    purge_now(force=True)
    assert titles() == {f"On {STAYS}"}
    assert found_in(file, CLEARS) == set()
    assert found_in(file, STAYS)


@pytest.mark.one_database
@pytest.mark.thorough
def test_no_word_is_left_of_all_chats_or_of_an_account_while_the_site_runs(
    start_site: Callable[..., LiveSite],
) -> None:
    site = start_site()
    people = {"leaves": LEAVES, "clears": CLEARS, "stays": STAYS}
    for name in people:
        site.database.add_user(name)
    fill(site, people)
    for word in people.values():
        assert len(found(site, word)) >= 2  # the database, or its log, and a file
    for name, kind in (("leaves", "account"), ("clears", "chats")):
        site.database.run(
            "INSERT INTO sessions_app_deletionrequest (owner_id, kind, due_at) "
            "SELECT id, %s, '2020-01-01' FROM auth_user WHERE username = %s",
            kind,
            name,
        )
    clears = peer(site, **Files(site, "clears").headers)
    with clears as client:
        [memory] = client.call("memory.list")["result"]["memories"]
        client.call("memory.delete", memory_id=memory["id"])
        printed = site.manage("purge")
        client.until(lambda frame: frame.get("params", {}).get("event", {}).get("name") == "session.deleted")
    assert "Removed 1 accounts" in printed
    assert "Removed 2 chats" in printed
    assert found(site, LEAVES) == set()
    assert found(site, CLEARS) == set()
    assert len(found(site, STAYS)) >= 2
    with peer(site, **Files(site, "stays").headers) as client:
        assert client.call("session.search", query=STAYS)["result"]["hits"]
    assert site.database.run("PRAGMA integrity_check") == [("ok",)]
    # It raises where the index is not whole.
    site.database.run("INSERT INTO hermes_search_keys (hermes_search_keys) VALUES ('integrity-check')")
    assert site.stop() == 0
    assert site.errors() == []
