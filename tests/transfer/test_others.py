"""Exports of ChatGPT and Open WebUI, brought in: the lines that they had, what was said in them, and no more."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app import database
from sessions_app.imports import chatgpt, elements
from sessions_app.imports.elements import Elements, EndsEarly
from sessions_app.models import ChatSession, Message
from tests.extraction import samples
from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.stamps.stored import assert_storage_is_true
from tests.transfer.given import imported
from tests.transfer.others import CHAT, chatgpt_archive, chatgpt_chat, node, open_webui_chat
from tests.turns.host import Host


async def _shown(host: Host, session_id: UUID) -> list[tuple[str, str, int]]:
    opened = await host.open(session_id)
    return [(row.role, row.text, len(row.alternatives)) for row in opened["messages"]]


@pytest.mark.one_database
async def test_chats_of_chatgpt_keep_their_lines_and_pictures(host: Host, provider: Provider) -> None:
    archive = chatgpt_archive([chatgpt_chat()], samples.picture("PNG"))
    report = await imported(host.user_id, archive)
    assert (report["sessions"], report["messages"], report["files"]) == (1, 6, 1), report["left_out"]
    assert [row["why"] for row in report["left_out"]] == [chatgpt.LEFT_OUT]
    chat = await database.read(ChatSession.objects.get, pk=CHAT)
    assert (chat.title, chat.archived, chat.created_at.timestamp()) == ("A view \ufffd", True, 1_700_000_000)
    assert await _shown(host, chat.pk) == [("user", "Look again", 1), ("assistant", "One", 1), ("user", "Thanks", 0)]
    await database.read(assert_storage_is_true)
    first = await database.read(Message.objects.get, text="Look")
    assert [part["name"] for part in first.parts] == ["file-AbCdEfGh12345678-view.png"]
    provider.script(Answer(["You are welcome"]))
    await host.turn(chat.pk, "And?")
    assert [message["content"] for message in provider.requests[-1].json["messages"]][-4:] == [
        "Look again",
        "One",
        "Thanks",
        "And?",
    ]


@pytest.mark.one_database
async def test_the_same_list_again_makes_nothing_again(host: Host) -> None:
    listed = json.dumps([chatgpt_chat(), open_webui_chat()]).encode()
    for sessions, there in ((2, 0), (0, 2)):
        report = await imported(host.user_id, listed)
        assert (report["sessions"], report["there"]) == (sessions, there)
    assert {row["why"] for row in (await imported(host.user_id, listed))["left_out"]} == set()


@pytest.mark.one_database
async def test_a_chat_of_open_webui_shows_the_line_that_was_shown(host: Host) -> None:
    await imported(host.user_id, json.dumps([open_webui_chat()]).encode())
    chat = await database.read(ChatSession.objects.get)
    assert (chat.title, chat.pinned) == ("Greeting", True)
    assert await _shown(host, chat.pk) == [("user", "Hello", 0), ("assistant", "Hello!", 1)]


CIRCLE = {**node("a", "b", "user", ["a"]), **node("b", "a", "user", ["b"])}
BAD: dict[str, Any] = {
    "no chat": {"some": "thing"},
    "not an object": 7,
    "a mapping that is none": chatgpt_chat(mapping=[]),
    "no id": chatgpt_chat(conversation_id=None),
    "a circle": chatgpt_chat(mapping=CIRCLE),
    "nothing said": chatgpt_chat(mapping=node("root", None)),
    "a deep one": json.loads("[" * 500 + "]" * 500),
}


@pytest.mark.one_database
async def test_what_is_no_chat_is_named_and_the_rest_is_taken(host: Host) -> None:
    odd = chatgpt_chat(conversation_id="other", title=7, create_time="x", update_time=1e300, current_node=9)
    report = await imported(host.user_id, json.dumps([*BAD.values(), odd]).encode())
    assert (report["sessions"], report["left_out_count"] - 2) == (1, len(BAD))  # a part and a picture of the odd one


@pytest.mark.one_database
async def test_a_list_that_was_cut_is_taken_up_to_there(host: Host) -> None:
    whole = json.dumps([open_webui_chat(), chatgpt_chat()]).encode()
    report = await imported(host.user_id, whole[:-100])
    assert report["sessions"] == 1
    assert "cut" in report["left_out"][-1]["why"]


JSON = st.recursive(
    st.none() | st.integers() | st.text('",[]{}\\aé'), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@settings(max_examples=30)
@given(value=st.lists(JSON), piece=st.integers(1, 9), indent=st.sampled_from([None, 1]))
def test_elements_are_those_of_the_array(value: list[Any], piece: int, indent: int | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elements, "_PIECE_BYTES", piece)
        data = json.dumps(value, ensure_ascii=False, indent=indent).encode()
        assert [json.loads(one or b"") for one in Elements(io.BytesIO(data))] == value
        with pytest.raises(EndsEarly):
            list(Elements(io.BytesIO(data[:-1])))


def test_an_element_that_is_too_large_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elements, "MAX_DOCUMENT_BYTES", 10)
    assert list(Elements(io.BytesIO(b'[1, "01234567890123", 2]'))) == [b"1", None, b"2"]
