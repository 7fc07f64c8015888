"""The same over a real server process, with a WebSocket client that shares no code with it."""

from __future__ import annotations

from tests.live import LiveSite
from tests.peers import Browser, peer, token


def test_a_conversation_by_token(lasting_site: LiveSite, newcomer: str) -> None:
    with peer(lasting_site, **token(lasting_site, newcomer)) as client:
        session_id = client.call("session.create", title="Live")["result"]["session"]["id"]
        client.call("session.open", session_id=session_id)
        run_id = client.call("turn.start", session_id=session_id, text="Hello")["result"]["run_id"]
        end = client.until(lambda frame: frame["params"]["event"]["type"] in ("RUN_FINISHED", "RUN_ERROR"))
        assert (end["params"]["run_id"], end["params"]["event"]["type"]) == (run_id, "RUN_FINISHED")
        assert len(client.call("session.messages", session_id=session_id, before=9)["result"]["messages"]) == 2
        assert client.call("session.search", query="ello")["result"]["hits"]


def test_a_browser_is_let_in_and_cut_off_at_its_logout(lasting_site: LiveSite, newcomer: str) -> None:
    browser = Browser(lasting_site)
    browser.log_in(newcomer)
    with (
        peer(lasting_site, **browser.headers) as listening,
        peer(lasting_site, **browser.headers) as other,
    ):
        other.call("session.create", title="shared")
        listening.until(lambda frame: frame["params"]["event"]["value"]["title"] == "shared")
        browser.post("/accounts/logout/")
        assert listening.closed() == 4401
        assert other.closed() == 4401
    with peer(lasting_site, **browser.headers) as client:
        assert client.closed() == 4401


def test_a_stranger_is_accepted_and_at_once_closed(lasting_site: LiveSite) -> None:
    with peer(lasting_site) as client:
        assert client.closed() == 4401


def test_a_token_revoked_by_another_program_carries_out_nothing_more(lasting_site: LiveSite, newcomer: str) -> None:
    site = lasting_site
    [(user_id,)] = site.database.run("SELECT id FROM auth_user WHERE username = %s", newcomer)
    with peer(site, **token(site, newcomer)) as client:
        client.call("session.list")
        site.database.run("DELETE FROM sessions_app_apitoken WHERE owner_id = %s", user_id)
        client.socket.send('{"jsonrpc":"2.0","id":1,"method":"session.create"}')
        assert client.closed() == 4401
    assert site.database.run("SELECT count(*) FROM sessions_app_chatsession WHERE owner_id = %s", user_id) == [(0,)]


def test_bad_frames_on_the_real_wire(lasting_site: LiveSite, newcomer: str) -> None:
    with peer(lasting_site, **token(lasting_site, newcomer)) as client:
        for frame in ("", "{", "[" * 5000, '{"id":1e400}', '{"id":NaN}', f'{{"id":{"9" * 5000}}}'):
            assert client.raw(frame) == -32700
        assert client.raw("[]") == -32600
        assert client.raw('{"jsonrpc":"2.0","id":null,"method":"x"}') == -32601
        session_id = client.call("session.create")["result"]["session"]["id"]
        for text, code in (("\0", -32602), ("\ud800", -32602), ("x" * 2**20, -32002), (" ", -32602)):
            assert client.call("turn.start", session_id=session_id, text=text)["error"]["code"] == code
        # The longest text there may be, each character in the longest way that JSON can write it.
        longest = client.call("turn.start", session_id=session_id, text="\U0001f600" * 200_000)
        assert longest["result"]["message"]["text"] == "\U0001f600" * 200_000


def test_a_frame_beyond_the_bound_and_a_binary_one_close(lasting_site: LiveSite, newcomer: str) -> None:
    for frame, codes in (("x" * 10 * 2**20, (1009, 4009)), (b"{}", (4003,))):
        with peer(lasting_site, **token(lasting_site, newcomer)) as client:
            client.socket.send(frame)
            assert client.closed() in codes
