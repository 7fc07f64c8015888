"""A turn over the socket, by a client that shares no code with the site."""

from __future__ import annotations

import json

from websockets.sync.client import connect


def calculate(url: str, token: str) -> tuple[list[str], str]:
    """The types of a turn's events, and what was answered."""
    with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:

        def call(method: str, **params: object) -> dict[str, dict[str, str]]:
            socket.send(json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": params}))
            while (frame := json.loads(socket.recv())).get("id") != method:
                pass
            result: dict[str, dict[str, str]] = frame["result"]
            return result

        session_id = call("session.create")["session"]["id"]
        call("session.open", session_id=session_id)
        call("turn.start", session_id=session_id, text="Calculate 6*7")
        kinds, words = [], ""
        for text in socket:
            event = json.loads(text)["params"]["event"]
            kinds.append(event["type"])
            words += event.get("delta", "") if event["type"] == "TEXT_MESSAGE_CONTENT" else ""
            if event["type"] in ("RUN_FINISHED", "RUN_ERROR"):
                break
    return kinds, words
