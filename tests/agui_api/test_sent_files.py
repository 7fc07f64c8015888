"""Images and documents in what AG-UI's official clients send: kept as files, known again, told back."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import pytest

from tests.agui_api.conftest import NEW, OLD, Clients
from tests.extraction import samples
from tests.limited import add_profile
from tests.llm.talking import extends
from tests.openai_api.conftest import Program
from tests.openai_api.test_sent_files import LETTER, NOISE, kept, shown
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

PICTURE = samples.picture(size=(300, 200))


def source(content: bytes, media_type: str) -> dict[str, str]:
    return {"type": "data", "value": base64.b64encode(content).decode(), "mimeType": media_type}


def image(content: bytes) -> dict[str, Any]:
    return {"type": "image", "source": source(content, "image/png")}


def document(content: bytes, **metadata: str) -> dict[str, Any]:
    return {"type": "document", "source": source(content, "application/pdf"), "metadata": metadata}


def binary(content: bytes, name: str) -> dict[str, Any]:
    data = base64.b64encode(content).decode()
    return {"type": "binary", "mimeType": "image/png", "data": data, "filename": name}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


@pytest.fixture
def answers(model: Provider) -> None:
    """Has the model answer A1, A2 and so on."""
    model.script(*(Answer(words=[f"A{number}"]) for number in range(1, 5)))


@pytest.mark.usefixtures("answers")
def test_images_and_documents_are_kept_once(program: Program, clients: Clients, model: Provider) -> None:
    agent = clients.agent("thread")
    agent.say([text("Look"), image(PICTURE), document(LETTER, filename="letter.pdf")])
    agent.say([image(NOISE)])
    agent.say("More")
    assert shown(program)[:3] == [("Look", ["image.png", "letter.pdf"]), ("A1", []), ("", ["image.png"])]
    assert kept(program) == 3
    for earlier, later in itertools.pairwise(model.bodies):
        assert extends(later, earlier)
    assert b"deep and old" in model.bodies[0]


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize("version", [NEW, OLD])
@pytest.mark.thorough
def test_binary_parts_of_older_clients_are_taken(program: Program, clients: Clients, version: str) -> None:
    clients.agent("thread", version).say([text("Look"), binary(NOISE, "photo.png")])
    [name] = shown(program)[0][1]
    assert name in ("photo.png", "image.png")  # the client of 1.0 leaves the name out of its own upgrade


@pytest.mark.thorough
@pytest.mark.usefixtures("answers")
def test_a_snapshot_tells_files_and_is_taken_back(program: Program, clients: Clients, model: Provider) -> None:
    clients.agent("thread").say([text("Look"), image(NOISE), document(LETTER, filename="letter.pdf")])
    other = clients.agent("thread")
    told = other.run()
    content = told.messages[0]["content"]
    assert [part["type"] for part in content] == ["text", "image", "document"]
    assert content[2]["metadata"] == {"filename": "letter.pdf"}
    assert content[1]["source"]["value"].startswith("/api/files/")
    other.say("More")
    assert [said for said, _ in shown(program)] == ["Look", "A1", "More", "A2"]
    assert kept(program) == 2
    assert extends(model.bodies[1], model.bodies[0])


@pytest.mark.usefixtures("answers")
@pytest.mark.thorough
def test_another_file_in_a_known_message_is_a_conflict(program: Program, clients: Clients) -> None:
    clients.agent("thread").say([text("Look"), image(PICTURE)], "m1")
    outcome = clients.agent("thread").say([text("Look"), image(NOISE)], "m1")
    assert outcome.last["code"] == "conflict"
    assert len(shown(program)) == 2


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ({"type": "image", "source": {"type": "url", "value": "https://example.com/a.png"}}, "fetches nothing"),
        ({"type": "document", "source": {"type": "file", "value": "file-abc"}}, "no such file"),
        ({"type": "audio", "source": {"type": "data", "value": "AA==", "mimeType": "audio/wav"}}, "no sound"),
        ({"type": "image", "source": {"type": "data", "value": "???", "mimeType": "image/png"}}, "not base64"),
        (image(b"MZ" + bytes(5_000)), ""),
    ],
)
@pytest.mark.thorough
def test_what_cannot_be_taken_is_refused(program: Program, clients: Clients, part: Any, word: str) -> None:
    outcome = clients.agent("thread").say([text("Look"), part])
    assert outcome.status == 400
    assert word in outcome.payload["error"]["message"]
    assert (program.sessions(), kept(program)) == ([], 0)


@pytest.mark.thorough
def test_a_model_without_pictures_says_so(program: Program, clients: Clients) -> None:
    name = f"Blind thread {program.user}"
    profile = add_profile(program.site.database, name, takes_images=False)
    with program.page() as page:
        session = page.call("session.create", profile=profile)["result"]["session"]
    outcome = clients.agent(session["id"]).say([text("Look"), image(PICTURE)])
    assert outcome.status == 400
    assert "no pictures" in outcome.payload["error"]["message"]
    assert kept(program) == 0
